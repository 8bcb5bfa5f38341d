"""What does a test deploy, with which permissions, and what is refused before?"""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.ab_test import ABRouter, ABTest
from mlplatform_cdk.release.ab_test.definition import RECOVER
from mlplatform_cdk.release.ab_test.runtime.facts import Test
from mlplatform_cdk.release.ab_test.runtime.handler import STEPS
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience.teardown import Teardown
from mlplatform_cdk.runtimekit.ab_test import Metric, PlanError, TestPlan
from mlplatform_cdk.runtimekit.ab_test.plan import MOST_LOOKS
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from tests.contracts.asl import needed_actions, problems
from tests.contracts.rendering import granted_actions, machines

PLAN = TestPlan(metric=Metric(name="converted", effect=0.01))
HERE = Environment(account="123456789012", region="eu-west-1")


class Built:
    """A synthesized test."""

    def __init__(
        self,
        *,
        released: bool = False,
        http_api: bool = False,
        notify: bool = False,
        own_records: bool = False,
        endpoint_settings: dict[str, Any] | None = None,
        outdir: str | None = None,
        **more: Any,
    ) -> None:
        self.app = App(outdir=outdir) if outdir else App()
        self.stack = PlatformStack(self.app, "Serving", env=HERE)
        key = Keys(self.stack, "Keys").data
        artifacts = ArtifactStore(self.stack, "Artifacts", key=key)
        endpoint: Endpoint
        if released:
            registry = ModelRegistry.from_group_name(self.stack, "Registry", "churn")
            endpoint = ReleasedEndpoint(
                self.stack,
                "Endpoint",
                endpoint_name="churn",
                artifacts=artifacts,
                key=key,
                **(endpoint_settings or {}),
            )
            release = BlueGreenRelease(self.stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
            more = {"registry": registry, "release": release, "records": release.records} | more
        else:
            endpoint = Endpoint.from_endpoint_name(self.stack, "Endpoint", "churn", variants=("a", "b", "c"))
        if own_records or not released:
            more["records"] = ReleaseRecords(self.stack, "Records", key=key)
        if notify:
            more["notifications"] = Notifications(self.stack, "Topic", key=key)
        given: dict[str, Any] = {"test_name": "churn", "endpoint": endpoint, "plan": PLAN, "artifacts": artifacts}
        self.test = ABTest(
            self.stack,
            "Test",
            **(given | {"key": key} | more),
        )
        self.router = ABRouter(self.stack, "Router", test=self.test, http_api=http_api)

    def rendered(self) -> tuple[dict[str, Any], str, dict[str, Any]]:
        template: dict[str, Any] = Template.from_stack(self.stack).to_json()
        machine = self.stack.get_logical_id(self.test.state_machine.node.default_child)
        return template, machine, machines(template)[machine]


def statements(template: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [
        statement
        for resource in template["Resources"].values()
        for statement in resource.get("Properties", {}).get("PolicyDocument", {}).get("Statement", [])
        if action in statement["Action"]
    ]


@pytest.mark.parametrize("released", [False, True])
def test_every_task_is_one_that_aws_would_take_and_its_role_may_make_exactly_those_calls(released: bool) -> None:  # noqa: FBT001
    template, machine, definition = Built(released=released).rendered()

    assert problems(definition) == []
    logs_and_traces = {one for one in granted_actions(template, machine) if one.split(":")[0] in {"logs", "xray"}}
    assert granted_actions(template, machine) - logs_and_traces == needed_actions(definition)


@pytest.mark.parametrize("released_at_once", [True, False])
def test_a_winner_is_released_and_people_are_told_where_that_is_asked_for(released_at_once: bool) -> None:  # noqa: FBT001
    _, machine, definition = (built := Built(released=True, notify=True, release_winner=released_at_once)).rendered()
    granted = granted_actions(Template.from_stack(built.stack).to_json(), machine)

    assert problems(definition) == []
    assert ("StartRelease" in definition["States"], "states:StartExecution" in granted) == (released_at_once,) * 2
    assert "sns:Publish" in granted
    assert definition["States"]["Tell"]["Next"] == "HasFailed"


@pytest.fixture(scope="module")
def released() -> tuple[dict[str, Any], str]:
    """A test on an endpoint that releases own, in a stack with a teardown of it; and the test's machine."""
    built = Built(released=True)
    ends = {"machines": [built.test.state_machine], "starters": [built.test.recovery]}
    Teardown(built.stack, "Teardown", key=built.test.key, **ends)
    template, machine, _ = built.rendered()
    return template, machine


def test_a_release_may_see_the_test_and_end_it_for_a_rollback(released: tuple[dict[str, Any], str]) -> None:
    template, machine = released

    (policy,) = [one for name, one in template["Resources"].items() if name.startswith("TestReleasePermissions")]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert {"Fn::GetAtt": [machine, "Name"]} in statement["Resource"]["Fn::Join"][1]


def test_a_teardown_ends_a_test_after_what_would_start_its_recovery(released: tuple[dict[str, Any], str]) -> None:
    resources = released[0]["Resources"]

    (cleaner,) = [name for name, one in resources.items() if one["Type"] == "Custom::Teardown"]
    (rule,) = [one for name, one in resources.items() if name.startswith("TestEndedFromOutside")]
    assert cleaner in rule["DependsOn"]


def test_a_lock_that_releases_do_not_see_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="records must be those of the release, where the endpoint's lock lies"
    ):
        Built(released=True, own_records=True)


def test_every_step_of_the_machine_is_one_of_the_function_and_reads_what_the_template_says() -> None:
    _, _, definition = Built().rendered()
    payloads = [
        state["Parameters"]["Payload"]
        for state in definition["States"].values()
        if "Payload" in state.get("Parameters", {})
    ]

    assert {one["step"] for one in payloads} == {*STEPS}
    test = Test.of(json.loads(json.dumps(payloads[0])))
    assert (test.name, test.variants, test.plan) == ("churn", ("a", "b", "c"), PLAN)


def test_the_endpoints_weights_are_all_that_a_test_of_a_templates_variants_may_change() -> None:
    template, _, _ = Built().rendered()

    (moves,) = statements(template, "sagemaker:UpdateEndpointWeightsAndCapacities")
    assert "endpoint/churn" in json.dumps(moves["Resource"])
    assert statements(template, "sagemaker:UpdateEndpoint") == []
    assert statements(template, "sagemaker:CreateModel") == []


def test_a_test_on_a_released_endpoint_makes_and_deletes_under_its_own_prefix_alone() -> None:
    template, _, _ = Built(released=True).rendered()

    for action, name in (
        ("sagemaker:CreateModel", "model/churn--ab-*"),
        ("sagemaker:DeleteModel", "model/churn--ab-*"),
        ("sagemaker:DeleteEndpointConfig", "endpoint-config/churn--ab-*"),
    ):
        ours = [one for one in statements(template, action) if "--ab-" in json.dumps(one)]
        assert name in json.dumps(ours[0]["Resource"]), action


# Every pattern in the policies of a test and its router, each acknowledged beside the construct that causes it.
PATTERNS = {
    "*",  # X-Ray, and the delivery of Step Functions' logs: they take no resource
    ":endpoint-config/*",  # described: CloudFormation names them
    ":model/*",
    ":endpoint-config/churn--*",  # what releases and tests make for one endpoint
    ":model/churn--*",
    ":endpoint-config/churn--ab-*",
    ":model/churn--ab-*",
    ":model-package/churn/*",  # the versions of one group
    "/ab-tests/*",
    "/runs/*",
    ":scalable-target/*",  # ids that AWS chooses, kept to SageMaker's by a condition
    ":alarm:TargetTracking-endpoint/churn/variant/t*",  # by which AWS scales the challengers
    ":*",  # the executions of one machine
}


@pytest.mark.parametrize(
    ("released", "expected"),
    [(False, {":model/*", "/ab-tests/*"}), (True, {":model/churn--ab-*", "/runs/*", "/variant/t*"})],
)
def test_every_resource_that_is_a_pattern_has_its_reason(released: bool, expected: set[str]) -> None:  # noqa: FBT001
    template, _, _ = Built(released=released, http_api=True).rendered()
    found = set()
    for name, one in template["Resources"].items():
        if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(("Test", "Router")):
            for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                resources = (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                )
                texts = [
                    one["Fn::Join"][1][-1] if isinstance(one, dict) and "Fn::Join" in one else one for one in resources
                ]
                found |= {text for text in texts if isinstance(text, str) and "*" in text}

    unreviewed = {
        text for text in found if not any(text.endswith(pattern) for pattern in PATTERNS - {"*"}) and text != "*"
    }
    assert unreviewed == set()
    assert all(any(text.endswith(one) for text in found) for one in expected)


def test_callers_may_take_part_and_change_nothing_else() -> None:
    built = Built()
    caller = iam.Role(built.stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))

    built.test.grant_take_part(caller)
    built.router.grant_call(caller)

    template = Template.from_stack(built.stack).to_json()
    (policy,) = [one for name, one in template["Resources"].items() if name.startswith("CallerDefaultPolicy")]
    granted = {
        action
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {one for one in granted if not one.startswith("kms:")} == {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "lambda:InvokeFunction",
        "sagemaker:InvokeEndpoint",
    }


def test_the_outcomes_are_encrypted_recoverable_expire_and_outlive_the_stack() -> None:
    template, _, _ = Built().rendered()

    (table,) = [
        one
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::DynamoDB::Table" and name.startswith("TestOutcomes")
    ]
    properties = table["Properties"]
    assert properties["SSESpecification"]["SSEType"] == "KMS"
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert (table["DeletionPolicy"], properties["DeletionProtectionEnabled"]) == ("Retain", True)


def test_a_test_that_is_ended_from_outside_starts_its_own_recovery() -> None:
    template, machine, definition = Built().rendered()

    (rule,) = [one for name, one in template["Resources"].items() if name.startswith("TestEndedFromOutside")]
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["detail"]["status"] == ["ABORTED", "TIMED_OUT", "FAILED"]
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": machine}]
    transformed = rule["Properties"]["Targets"][0]["InputTransformer"]["InputTemplate"]
    assert f'"action":"{RECOVER}"' in transformed
    assert definition["States"]["WhatFor"]["Choices"][0]["Next"] == "Inherit"


def test_every_call_of_the_http_api_is_signed_and_reaches_one_function() -> None:
    template, _, _ = Built(http_api=True).rendered()
    by_type: dict[str, list[dict[str, Any]]] = {}
    for one in template["Resources"].values():
        by_type.setdefault(one["Type"], []).append(one["Properties"])

    routes = {one["RouteKey"]: one["AuthorizationType"] for one in by_type["AWS::ApiGatewayV2::Route"]}
    assert routes == {"POST /invocations": "AWS_IAM", "POST /outcomes": "AWS_IAM"}
    (stage,) = by_type["AWS::ApiGatewayV2::Stage"]
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 200, "ThrottlingRateLimit": 100}
    assert all("SourceArn" in one for one in by_type["AWS::Lambda::Permission"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"test_name": "Churn!"}, "test_name must be 1 to 40 lower-case letters"),
        ({"variants": ("a",)}, "2 to 10 variants, the control among them, got 1; name 2 to 10"),
        ({"variants": ("a", "a")}, "each variant must be named once, got a, a"),
        ({"variants": tuple("abcdefghijk")}, "2 to 10 variants, the control among them, got 11"),
        ({"released": True, "variants": ("a", "b")}, "come with a test's start, got a, b"),
        ({"released": True, "registry": None}, "registry and release must be given for an endpoint that"),
        (
            {"plan": TestPlan(metric=PLAN.metric, traffic="thompson", minimum_share=0.4)},
            "minimum_share must leave room for 3 variants, got 0.4",
        ),
    ],
)
def test_what_could_never_be_a_test_is_refused(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Built(**arguments)

    assert str(refused.value).startswith("[Serving/Test] ")
    assert problem in str(refused.value)


def test_registry_and_release_are_refused_where_the_template_owns_the_endpoint() -> None:
    stack = PlatformStack(App(), "Other", env=HERE)

    with pytest.raises(ConfigurationError, match="registry and release are for an endpoint that releases own"):
        Built(registry=ModelRegistry.from_group_name(stack, "Registry", "churn"))


def test_a_composite_alarm_is_told_of_to_those_only_who_may_look_at_all_alarms() -> None:
    elsewhere = PlatformStack(App(), "Elsewhere", env=HERE)
    composite = cloudwatch.CompositeAlarm.from_composite_alarm_name(elsewhere, "Any", "any")

    template, _, _ = Built(alarms=[composite]).rendered()

    (looks,) = statements(template, "cloudwatch:DescribeAlarms")
    assert looks["Resource"] == "*"


def test_more_alarms_than_one_call_asks_for_are_refused() -> None:
    stack = PlatformStack(App(), "Other", env=HERE)
    alarms = [
        cloudwatch.Alarm.from_alarm_arn(stack, f"A{n}", f"arn:aws:cloudwatch:eu-west-1:1:alarm:a{n}") for n in range(11)
    ]

    with pytest.raises(ConfigurationError, match="alarms must be at most 10, got 11; make a composite alarm"):
        Built(alarms=alarms)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"metric": {"name": "Converted"}}, "a metric's name must be 1 to 30 lower-case letters"),
        ({"metric": {"kind": "ratio"}}, "the kind of m must be binary or mean, got 'ratio'"),
        ({"metric": {"effect": 0.0}}, "the effect of m must be above 0 and at most 1, got 0.0"),
        ({"metric": {"effect": 2.0}}, "the effect of m must be above 0 and at most 1, got 2.0"),
        ({"metric": {"name": "latency_ms"}}, "latency_ms is measured by the router and is mean, got binary"),
        ({"metric": {"name": "failed", "unreported_is_zero": True}}, "failed is measured with every request"),
        ({"duration": timedelta(days=365)}, f"at most {MOST_LOOKS} times look_every, got 8760 looks; look less often"),
        ({"look_every": timedelta(seconds=90)}, "look_every must be whole minutes"),
        ({"duration": timedelta(minutes=1)}, "duration must be at least look_every"),
        ({"error_rate": 0.0}, "error_rate must be above 0 and at most 0.5, got 0.0"),
        ({"minimum_samples": 10}, "minimum_samples must be at least 50, got 10"),
        ({"control_share": 1.0}, "control_share must be above 0 and below 1, got 1.0"),
        (
            {"traffic": "thompson", "metric": {"name": "sold", "unreported_is_zero": True}},
            "with thompson, zeros must be reported, got unreported_is_zero of sold",
        ),
        ({"traffic": "greedy"}, "traffic must be fixed or thompson, got 'greedy'"),
    ],
)
def test_a_plan_that_could_not_end_with_a_sound_answer_is_refused(arguments: dict[str, Any], problem: str) -> None:
    metric = {"name": "m", "effect": 0.1} | arguments.pop("metric", {})

    with pytest.raises(PlanError) as refused:
        TestPlan(metric=Metric(**metric), **arguments)

    assert problem in str(refused.value)


def test_the_longest_test_stays_within_the_history_of_one_execution() -> None:
    looking = 2 + 5 + 2  # a wait, a task that is not retried, a choice
    ways = 2 * 120 * looking  # to the test's configuration and back, each as slow as it may be

    assert MOST_LOOKS * looking + ways < 25_000


@pytest.mark.parametrize("released", [False, True])
def test_cdk_nag_finds_nothing_in_a_test_and_its_router(tmp_path: Path, released: bool) -> None:  # noqa: FBT001
    built = Built(released=released, http_api=True, outdir=str(tmp_path))
    packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
    Validations.of(built.app).add_plugins(*(pack(built.app) for pack in packs))

    with suppress(RuntimeError):  # for findings on what else is in the stack
        built.app.synth()

    found = (tmp_path / "validation-report.json").read_text()
    assert "Serving/Test/" not in found
    assert "Serving/Router/" not in found


def test_challengers_come_up_with_the_endpoints_variables_and_in_the_time_that_it_gives() -> None:
    variables, hour = {"CACHE_BYTES": "1000"}, Duration.hours(1)
    settings = {"environment": variables, "startup_timeout": hour, "download_timeout": hour}

    _, _, chosen = Built(released=True, endpoint_settings=settings).rendered()
    _, _, plain = Built(released=True).rendered()

    assert chosen["States"]["Begin"]["Parameters"]["Payload"]["test"]["environment"] == variables
    assert "environment" not in plain["States"]["Begin"]["Parameters"]["Payload"]["test"]
    assert [one["States"]["ReachTestWait"]["Seconds"] for one in (chosen, plain)] == [90, 30]
