"""What does the guard listen to, whom does it tell what, and what may it do?"""

from collections.abc import Sequence
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.assembly.check.permissions.reach import reachable
from mlplatform_cdk.assembly.check.permissions.sources import Sources
from mlplatform_cdk.core import ConfigurationError, PlatformRole
from mlplatform_cdk.core.assets import SOURCE_ROOT
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.release.blue_green.guard import ReleaseGuard
from mlplatform_cdk.release.blue_green.runtime import guard, guard_handler
from mlplatform_cdk.release.blue_green.runtime import handler as handler_of_steps
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release.conftest import Build

GUARD = "Runs: Acts on alarms and interruptions of releases to dev-churn"


def template_with(orders: Sequence[str]) -> Template:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    endpoint = ReleasedEndpoint(
        stack, "Endpoint", endpoint_name="dev-churn", artifacts=ArtifactStore(stack, "Artifacts", key=key), key=key
    )
    states = PlatformRole(
        stack, "MachineRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"), description="Runs the states"
    )
    machine = PlatformStateMachine(
        stack,
        "Machine",
        definition={"StartAt": "End", "States": {"End": {"Type": "Succeed"}}},
        role=states,
        comment="Releases",
        key=key,
    )
    alarm = cloudwatch.Alarm.from_alarm_name
    ReleaseGuard(
        stack,
        "Guard",
        endpoint=endpoint,
        machine=machine,
        records=ReleaseRecords(stack, "Records", key=key),
        alarms={
            "a": [alarm(stack, "A", "dev-churn--a-errors")],
            "b": [alarm(stack, "B", "dev-churn--b-errors")],
            "business": [alarm(stack, f"Orders{index}", name) for index, name in enumerate(orders)],
        },
    )
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def template() -> Template:
    return template_with(["orders"])


def rule(template: Template, description: str) -> dict[str, Any]:
    (found,) = template.find_resources("AWS::Events::Rule", {"Properties": {"Description": description}}).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def told(properties: dict[str, Any]) -> str:
    (target,) = properties["Targets"]
    assert "DeadLetterConfig" in target
    return str(target["InputTransformer"]["InputTemplate"])


def statements(template: Template, named: str) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::ManagedPolicy")
    (found,) = [one for name, one in policies.items() if name.startswith(named)]
    written: list[dict[str, Any]] = found["Properties"]["PolicyDocument"]["Statement"]
    return written


def actions(template: Template, named: str) -> set[str]:
    written = (one["Action"] for one in statements(template, named))
    return {action for one in written for action in ([one] if isinstance(one, str) else one)}


def test_every_alarm_that_is_given_and_no_other_reaches_the_guard(template: Template) -> None:
    alarms = rule(template, "An alarm rings that concerns releases to dev-churn")

    pattern = alarms["EventPattern"]
    assert pattern["detail"] == {
        "alarmName": ["dev-churn--a-errors", "dev-churn--b-errors", "orders"],
        "state": {"value": ["ALARM"]},
    }
    assert (pattern["account"], pattern["region"]) == (["123456789012"], ["eu-west-1"])


def test_more_alarms_than_a_rule_holds_are_refused_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError, match="may have 2048 characters, got about 2"):
        template_with([f"orders-of-the-shop-in-{number:03}-{'x' * 60}" for number in range(25)])


def test_the_guard_is_told_which_alarm_rings_and_whose_each_one_is(template: Template) -> None:
    text = told(rule(template, "An alarm rings that concerns releases to dev-churn"))

    assert '"step":"guard"' in text
    assert '"a":["dev-churn--a-errors"],"b":["dev-churn--b-errors"],"business":["orders"]' in text


def test_an_execution_that_ended_other_than_well_reaches_the_guard(template: Template) -> None:
    ended = rule(template, "A release to dev-churn ended other than well")

    detail = ended["EventPattern"]["detail"]
    assert detail["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    assert len(detail["stateMachineArn"]) == 1
    (target,) = ended["Targets"]
    told = {"$.detail.executionArn", "$.detail.input", "$.detail.status"}
    assert set(target["InputTransformer"]["InputPathsMap"].values()) == told


def test_an_alarm_rings_when_nothing_is_tried_any_more_and_says_what_to_do(template: Template) -> None:
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "dev-churn--given-up",
            "AlarmDescription": Match.string_like_regexp(
                "mlplatform release rollback dev-churn tries the way back again"
            ),
            "Namespace": guard.NAMESPACE,
            "MetricName": guard.GIVEN_UP,
            "Dimensions": [{"Name": "EndpointName", "Value": "dev-churn"}],
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
        },
    )


def test_people_are_told_by_the_guard_and_by_its_alarm(build: Build) -> None:
    built = build()
    (alarm,) = built.template.find_resources(
        "AWS::CloudWatch::Alarm", {"Properties": {"AlarmName": "dev-churn--given-up"}}
    ).values()

    assert len(alarm["Properties"]["AlarmActions"]) == 1
    assert "sns:Publish" in actions(built.template, "ReleaseGuardFunctionRolePermissions")


def test_the_guards_function_runs_nothing_of_the_machines_steps(template: Template) -> None:
    description = "Acts on alarms and interruptions of releases to dev-churn"
    (function,) = template.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Description": description}}
    ).values()
    handler = function["Properties"]["Handler"]
    parts = reachable(Sources(folder=SOURCE_ROOT), handler)

    assert handler == f"{guard_handler.__name__}.handle"
    assert set(guard_handler.STEPS).isdisjoint(handler_of_steps.STEPS)
    reached = {part.module.name.rpartition(".")[2] for part in parts}
    assert "guard" in reached
    assert reached.isdisjoint({"ending", "entering", "shifting", "steps", "evidence"})


def test_the_guard_may_set_weights_end_and_start_releases_read_the_lock_write_records_and_nothing_else(
    template: Template,
) -> None:
    assert actions(template, "GuardFunctionRolePermissions") == {
        "cloudwatch:PutMetricData",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "events:PutEvents",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "sqs:SendMessage",
        "states:DescribeExecution",
        "states:StartExecution",
        "states:StopExecution",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_the_guard_removes_rows_of_the_lock_of_its_endpoint_alone(template: Template) -> None:
    (removing,) = [
        one for one in statements(template, "GuardFunctionRolePermissions") if "dynamodb:DeleteItem" in one["Action"]
    ]

    assert removing["Action"] == "dynamodb:DeleteItem"
    assert removing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["lock#dev-churn"]}}


def test_the_guard_writes_records_of_its_endpoint_and_no_lock(template: Template) -> None:
    (writing,) = [
        one for one in statements(template, "GuardFunctionRolePermissions") if "dynamodb:PutItem" in one["Action"]
    ]

    keys = ["dev-churn", "once#dev-churn"]
    assert writing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}
