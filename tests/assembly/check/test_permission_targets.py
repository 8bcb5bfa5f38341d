"""Does a role allow a call on the very resource that it names, and is nothing said where nobody can tell?"""

from typing import Any

import pytest

from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import Template
from tests.assembly.check.conftest import Make, function, machine, role

INVOKE = "arn:aws:states:::lambda:invoke"
ROLES = {"Fn::GetAtt": ["Role", "Arn"]}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
OURS, OTHERS = {"Fn::GetAtt": ["Ours", "Arn"]}, {"Fn::GetAtt": ["Others", "Arn"]}
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x"}}


def on(action: str, *resources: Any) -> dict[str, Any]:
    """A role that allows the action on these resources."""
    made = role(action)
    made["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = list(resources)
    return made


def found(made: Template) -> list[str]:
    return [one.message for one in Permissions().findings(made) if one.rule.startswith("permission-missing")]


def invoking(template: Make, resource: Any, *, calls: Any = OURS) -> Template:
    """A state machine that invokes ``calls`` under a role that may invoke ``resource``."""
    parts = ['{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"', INVOKE, '","TimeoutSeconds":60,']
    rest = ['"Parameters":{"FunctionName":"', calls, '"},"End":true}}}']
    text = {"Fn::Join": ["", [*parts, *rest]]}
    made = machine(DefinitionString=text)
    return template(
        {"Role": on("lambda:InvokeFunction", resource), "Machine": made, "Ours": FUNCTION, "Others": FUNCTION}
    )


def test_a_task_on_another_function_than_the_role_allows_is_found(template: Make) -> None:
    functions = "arn:aws:lambda:eu-west-1:123456789012:function"

    (message,) = found(invoking(template, OTHERS))

    assert message == (
        f"Machine calls lambda:InvokeFunction on {functions}:Ours (state S); "
        f"its role allows that on {functions}:Others only"
    )


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(OURS, id="the function"),
        pytest.param("*", id="any"),
        pytest.param({"Fn::Sub": "arn:aws:lambda:*:*:function:${Ours}"}, id="a pattern around it"),
        pytest.param({"Ref": "Elsewhere"}, id="a parameter"),
        pytest.param({"Fn::ImportValue": "x"}, id="a value of another stack"),
        pytest.param("arn:aws:lambda:eu-west-1:123456789012:function:a-name", id="a name that may be its own"),
    ],
)
def test_a_role_that_allows_it_or_may_allow_it_is_no_finding(template: Make, resource: Any) -> None:
    assert found(invoking(template, resource)) == []


@pytest.mark.parametrize("calls", [{"Ref": "Elsewhere"}, {"Fn::ImportValue": "x"}])
def test_a_task_on_what_only_a_deployment_knows_is_no_finding(template: Make, calls: Any) -> None:
    assert found(invoking(template, OTHERS, calls=calls)) == []


@pytest.mark.parametrize(
    ("code", "environment", "allowed", "messages"),
    [
        pytest.param(f"sns.publish(TopicArn='{TOPIC}')", {}, "arn:aws:sns:*:*:bills", 1, id="an ARN in the code"),
        pytest.param(f"sns.publish(TopicArn='{TOPIC}')", {}, TOPIC, 0, id="an ARN that the role allows"),
        pytest.param(
            "sns.publish(TopicArn=os.environ['TOPIC'])",
            {"TOPIC": {"Ref": "Topic"}},
            {"Ref": "Bills"},
            1,
            id="another reference than that of the environment",
        ),
        pytest.param(
            "sns.publish(TopicArn=os.environ['TOPIC'])",
            {"TOPIC": {"Ref": "Topic"}},
            {"Ref": "Topic"},
            0,
            id="the same reference",
        ),
        pytest.param("sns.publish(TopicArn=event['topic'])", {}, {"Ref": "Bills"}, 0, id="what the event says"),
    ],
)
def test_the_calls_of_code_are_held_against_the_resources_of_its_role(
    template: Make, code: str, environment: dict[str, Any], allowed: Any, messages: int
) -> None:
    source = f"import boto3, os\nsns = boto3.client('sns')\ndef handle(event, c):\n  {code}"
    made = template(
        {
            "Role": on("sns:Publish", allowed),
            "Function": function(source, Environment={"Variables": environment}),
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Bills": {"Type": "AWS::SNS::Topic"},
        }
    )

    assert len(found(made)) == messages


@pytest.mark.parametrize(
    ("allowed", "messages"),
    [
        pytest.param({"Fn::Sub": "${Lake.Arn}/raw/*"}, 0, id="a folder of it, whose objects only a run knows"),
        pytest.param({"Fn::Sub": "${Other.Arn}/*"}, 1, id="another bucket"),
    ],
)
def test_objects_are_held_against_their_bucket(template: Make, allowed: Any, messages: int) -> None:
    source = "import boto3, os\ndef handle(e, c):\n  boto3.client('s3').get_object(Bucket=os.environ['B'], Key=e['k'])"
    made = template(
        {
            "Role": on("s3:GetObject", allowed),
            "Function": function(source, Environment={"Variables": {"B": {"Ref": "Lake"}}}),
            "Lake": {"Type": "AWS::S3::Bucket"},
            "Other": {"Type": "AWS::S3::Bucket"},
        }
    )

    assert len(found(made)) == messages
