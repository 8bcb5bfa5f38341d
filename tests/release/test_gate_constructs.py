"""What may the parts of a gate do, and what stays shut unless it is asked for?"""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.assembly import reader
from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.foundation import Keys, Notifications, PlatformStack
from mlplatform_cdk.release.gates import (
    ChatButtons,
    Gates,
    MicrosoftTeamsChannel,
    SignedLinks,
    SlackChannel,
    gate_state,
)
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.release_records import keys_of
from tests.architecture.test_assets import boot, functions
from tests.contracts.asl import problems

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:Release"
HERE = "arn:AWS::Partition:{}:eu-west-1:123456789012:"
FACTS = {
    "version.$": "$.plan.package_arn",
    "percent.$": "$.shift.percent",
    "timeout_s.$": "$.shift.gate_s",
    "metrics.$": "$.look.metrics",
}


def built(*, links: bool = False, channel: SlackChannel | MicrosoftTeamsChannel | None = None) -> dict[str, Any]:
    template: dict[str, Any] = Template.from_stack(stack_with(App(), links=links, channel=channel)).to_json()
    return template


def stack_with(app: App, *, links: bool, channel: SlackChannel | MicrosoftTeamsChannel | None) -> PlatformStack:
    stack = PlatformStack(app, "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    records = ReleaseRecords(stack, "Records", key=key)
    common = {"endpoint_name": "dev-churn", "records": records, "key": key}
    gates = Gates(
        stack,
        "Gates",
        notifications=Notifications(stack, "Topic", key=key),
        links=SignedLinks(stack, "Links", **common) if links else None,
        chat=ChatButtons(stack, "Chat", channel=channel, **common) if channel else None,
        **common,
    )
    gates.open_for(sfn.StateMachine.from_state_machine_arn(stack, "Machine", MACHINE))
    return stack


def of_kind(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def actions(template: dict[str, Any], where: str) -> set[str]:
    """Every action that the policies of the role with this in its name allow."""
    found: set[str] = set()
    for name, one in of_kind(template, "AWS::IAM::ManagedPolicy").items():
        if name.startswith(where) or where in json.dumps(one["Properties"].get("Roles", [])):
            for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                action = statement["Action"]
                found |= {action} if isinstance(action, str) else {*action}
    return found


def resources(template: dict[str, Any], where: str, action: str) -> list[str]:
    """What the policies of the role with this in its name allow that action on."""
    return [
        "".join(part if isinstance(part, str) else part["Ref"] for part in statement["Resource"]["Fn::Join"][1])
        for name, one in of_kind(template, "AWS::IAM::ManagedPolicy").items()
        if where in name
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if action in statement["Action"]
    ]


def test_without_being_asked_nothing_is_public_and_nobody_but_the_command_line_answers() -> None:
    template = built()

    for kind in ("AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::Chatbot::SlackChannelConfiguration"):
        assert not of_kind(template, kind)
    assert len(of_kind(template, "AWS::Lambda::Function")) == 1
    assert "SendTask" not in json.dumps(template)


def test_the_links_are_signed_by_a_key_that_never_leaves_kms() -> None:
    template = built(links=True)

    (key,) = [one for name, one in of_kind(template, "AWS::KMS::Key").items() if name.startswith("Links")]
    assert (key["Properties"]["KeySpec"], key["Properties"]["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    assert "kms:GenerateMac" in actions(template, "GatesAsk")
    page = actions(template, "LinksPage")
    assert "kms:VerifyMac" in page
    assert "kms:GenerateMac" not in page
    assert {"states:SendTaskSuccess", "states:SendTaskFailure"} <= page


def test_each_function_of_a_gate_touches_the_records_as_far_as_it_answers_or_asks() -> None:
    template = built(links=True, channel=SlackChannel(workspace_id="T0123", channel_id="C0123"))

    asks = {"dynamodb:GetItem", "dynamodb:PutItem"}
    answers = {"dynamodb:Query", "dynamodb:UpdateItem", "events:PutEvents"}
    touched = {
        name: {one for one in actions(template, name) if one.startswith(("dynamodb:", "events:"))}
        for name in ("GatesAsk", "LinksPage", "ChatAnswer")
    }
    assert touched == {"GatesAsk": asks, "LinksPage": asks | answers, "ChatAnswer": asks | answers}
    conditions = [
        statement["Condition"]
        for policy in of_kind(template, "AWS::IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "dynamodb:PutItem" in statement["Action"]
    ]
    of_its_endpoint = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys_of("dev-churn")}}
    assert conditions == [of_its_endpoint] * len(touched)


def test_a_team_may_answer_by_the_command_line_and_read_what_it_answers_to() -> None:
    stack = stack_with(App(), links=False, channel=None)
    team = PlatformRole(stack, "Team", assumed_by=iam.AccountRootPrincipal(), description="The team")
    gates = stack.node.find_child("Gates")
    assert isinstance(gates, Gates)

    gates.grant_answer(team, sfn.StateMachine.from_state_machine_arn(stack, "Other", MACHINE))

    template = Template.from_stack(stack).to_json()
    allowed = actions(template, "Team")
    assert {"states:SendTaskSuccess", "states:SendTaskFailure", "dynamodb:Query", "dynamodb:UpdateItem"} <= allowed
    assert "dynamodb:DeleteItem" not in allowed
    assert resources(template, "Team", "ssm:GetParameter") == [
        f"{HERE.format('ssm')}parameter/mlplatform/releases/dev-churn"
    ]
    assert resources(template, "Team", "states:DescribeExecution") == [f"{HERE.format('states')}execution:Release:*"]


def test_the_public_page_has_a_small_share_of_the_accounts_functions() -> None:
    template = built(links=True)

    (page,) = [one for name, one in of_kind(template, "AWS::Lambda::Function").items() if name.startswith("LinksPage")]
    assert page["Properties"]["ReservedConcurrentExecutions"] == 5
    (url,) = of_kind(template, "AWS::Lambda::Url").values()
    assert url["Properties"]["AuthType"] == "NONE"
    # Both, since October 2025: with the first alone, Lambda answers 403 to everybody.
    let_in = {one["Properties"]["Action"] for one in of_kind(template, "AWS::Lambda::Permission").values()}
    assert let_in == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


def test_only_its_own_releases_can_be_answered() -> None:
    for one in of_kind(built(links=True), "AWS::IAM::ManagedPolicy").values():
        for statement in one["Properties"]["PolicyDocument"]["Statement"]:
            if "states:SendTaskSuccess" in statement["Action"]:
                assert statement["Resource"] == MACHINE


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        (SlackChannel(workspace_id="T0123", channel_id="C0123"), "AWS::Chatbot::SlackChannelConfiguration"),
        (
            MicrosoftTeamsChannel(
                tenant_id="f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                team_id="f81d4fae-7dec-11d0-a765-00a0c91e6bf7",
                channel_id="19%3ab6%40thread.tacv2",
            ),
            "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        ),
    ],
    ids=["Slack", "Teams"],
)
def test_the_members_of_a_channel_can_press_two_buttons_and_nothing_else(
    channel: SlackChannel | MicrosoftTeamsChannel, kind: str
) -> None:
    template = built(channel=channel)

    assert actions(template, "ChatChannelRole") == {"lambda:InvokeFunction"}
    (configuration,) = of_kind(template, kind).values()
    # Without a guardrail of its own a channel has AdministratorAccess as its guardrail.
    assert len(configuration["Properties"]["GuardrailPolicies"]) == 1
    assert len(configuration["Properties"]["CustomizationResourceArns"]) == 2
    buttons = [one["Properties"] for one in of_kind(template, "AWS::Chatbot::CustomAction").values()]
    assert {one["Definition"]["CommandText"] for one in buttons} == {
        'lambda invoke --function-name $F --payload {"approve":"$G"} --region $R',
        'lambda invoke --function-name $F --payload {"reject":"$G"} --region $R',
    }
    assert all(len(one["Attachments"][0]["Variables"]) <= 5 for one in buttons)  # as many as the service takes


def test_the_waiting_state_is_one_that_aws_would_take_and_its_time_comes_from_the_strategy() -> None:
    state = gate_state(
        "AskPerson",
        partition="aws",
        function_arn="arn:aws:lambda:eu-west-1:123456789012:function:ask",
        endpoint_name="dev-churn",
        facts=FACTS,
        failed="FindWayBack",
    )

    definition = {
        "StartAt": "AskPerson",
        "States": {
            "AskPerson": state | {"ResultPath": "$.answer", "End": True},
            "FindWayBack": {"Type": "Fail"},
        },
    }
    assert problems(definition) == []
    assert state["TimeoutSecondsPath"] == "$.shift.gate_s"
    assert state["Parameters"]["Payload"]["token.$"] == "$$.Task.Token"
    assert state["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure.AskPerson", "Next": "FindWayBack"}
    ]


def test_the_function_that_asks_can_send_to_its_topics_only() -> None:
    template = Template.from_json(built())

    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {"Action": "sns:Publish", "Resource": {"Ref": Match.string_like_regexp("Topic")}}
                        )
                    ]
                )
            }
        },
    )


def test_every_function_of_a_gate_boots_from_its_asset_alone(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stack_with(app, links=True, channel=SlackChannel(workspace_id="T0123", channel_id="C0123"))
    app.synth()

    (stack,) = reader.read(tmp_path).all_stacks()
    booted = {handler: boot(handler.rpartition(".")[0], folder) for _, handler, folder in functions(stack)}

    assert {handler.split(".")[2:-3:][-1] for handler in booted} == {"gates", "door", "chat"}
    assert not {handler: result.stderr for handler, result in booted.items() if result.returncode}
