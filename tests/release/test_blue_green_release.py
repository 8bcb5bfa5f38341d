"""What does a release do, in which order, and with which permissions?"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration
from aws_cdk.assertions import Match

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, JobNetwork, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.blue_green.runtime.handler import WITHOUT_TURN
from mlplatform_cdk.serving import DataCapture, ReleasedEndpoint, ScalingRange
from tests.contracts.asl import needed_actions, problems
from tests.contracts.rendering import granted_actions
from tests.release.conftest import Build, Built

NETWORK = JobNetwork(subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",))
FIXED = ScalingRange(minimum=2, maximum=2)
UPDATES = ("RetireBlue", "RestoreConfiguration")
HOUR = Duration.hours(1)


def tasks(built: Built) -> list[dict[str, Any]]:
    return [state for state in built.definition["States"].values() if state["Type"] == "Task"]


def arrows(built: Built, name: str) -> Iterator[str]:
    """Where the state leads to, other than by an error."""
    state = built.state(name)
    yield from (holder["Next"] for holder in (state, *state.get("Choices", [])) if "Next" in holder)
    if "Default" in state:
        yield state["Default"]


def reachable(built: Built, start: str, *, without: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen and name != without:
            seen.add(name)
            todo.extend(arrows(built, name))
    return seen


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="plain"),
        pytest.param({"network": NETWORK, "network_isolation": False}, id="in a VPC"),
        pytest.param({"capture": DataCapture(percentage=5)}, id="with data capture"),
        pytest.param({"instance_type": "ml.m5d.large"}, id="on disks that encrypt themselves"),
        pytest.param({"scaling": FIXED}, id="of a fixed size"),
        pytest.param({"notify": False}, id="telling nobody"),
        pytest.param({"instance_type": "ml.x99.mega"}, id="a type of tomorrow"),
        pytest.param({"environment": {"CACHE_BYTES": "1000"}, "startup_timeout": HOUR}, id="as its container needs it"),
    ],
)
def test_every_task_is_one_that_aws_would_take(build: Build, arguments: dict[str, Any]) -> None:
    assert problems(build(**arguments).definition) == []


def test_a_call_that_is_left_to_the_function_is_held_against_the_service_too(build: Build) -> None:
    definition = copy.deepcopy(build().definition)
    parameters = definition["States"]["BringUpGreen"]["Parameters"]["Payload"]["parameters"]
    parameters["EndpointConfgName.$"] = parameters.pop("EndpointConfigName.$")

    found = problems(definition)
    assert "BringUpGreen: Parameters.EndpointConfigName is missing" in found


def test_the_state_machines_role_may_make_exactly_the_calls_of_its_states(build: Build) -> None:
    built = build()
    needed = needed_actions(built.definition)
    granted = granted_actions(built.template.to_json(), built.machine)

    assert needed <= granted
    assert not [one for one in granted - needed if not one.startswith(("logs:", "xray:", "kms:"))]


def test_nothing_is_changed_but_by_the_function_which_holds_the_turn(build: Build) -> None:
    called = {state["Resource"].partition(":states:::")[2] for state in tasks(build())}

    assert called == {"lambda:invoke", "sns:publish", "states:startExecution"}
    assert "call" not in WITHOUT_TURN


def test_a_call_that_may_not_be_made_is_not_tried_again(build: Build) -> None:
    first, second = build().state("ShiftTraffic")["Retry"]

    assert first == {"ErrorEquals": ["LockLost", "NameTaken"], "MaxAttempts": 0}
    assert second["ErrorEquals"] == ["States.TaskFailed", "States.Timeout"]


def test_an_endpoint_of_fixed_size_asks_for_no_scaling(build: Build) -> None:
    built = build(scaling=FIXED)

    assert not {name for name in built.definition["States"] if name in {"RegisterScaling", "ScaleByTraffic"}}
    granted = granted_actions(built.template.to_json(), built.machine)
    assert not [one for one in granted if one.startswith("application-autoscaling:")]


def test_no_policy_has_a_wildcard_action_or_outgrows_its_limit(build: Build) -> None:
    for policy in build(network=NETWORK).template.find_resources("AWS::IAM::ManagedPolicy").values():
        document = policy["Properties"]["PolicyDocument"]
        assert not [one for one in document["Statement"] if "*" in json.dumps(one["Action"])]
        assert len(json.dumps(document, separators=(",", ":"))) < 6144


def test_nothing_but_this_endpoint_and_what_bears_its_name_can_be_changed(build: Build) -> None:
    text = json.dumps(build().template.to_json())

    assert "endpoint/dev-churn" in text
    assert ":model/dev-churn--*" in text
    assert ":endpoint-config/dev-churn--*" in text
    assert ":model/*" not in text
    assert ":endpoint-config/*" not in text


def test_the_models_role_is_passed_to_sagemaker_only(build: Build) -> None:
    built = build()
    statement = {
        "Action": "iam:PassRole",
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        "Resource": built.stack.resolve(built.endpoint.model_role.role_arn),
    }

    built.template.has_resource_properties(
        "AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}}
    )


@pytest.mark.parametrize(
    ("change", "watch"),
    [
        ("CreateEndpoint", "WatchGreen"),
        ("BringUpGreen", "WatchGreen"),
        ("ShiftTraffic", "WatchTraffic"),
        ("ScaleDownBlue", "WatchScaleDown"),
        ("RetireBlue", "WatchRetirement"),
    ],
)
def test_no_change_of_the_endpoint_is_believed_until_it_is_seen(build: Build, change: str, watch: str) -> None:
    (following,) = {*arrows(build(), change)}

    assert {*arrows(build(), following)} == {watch}


@pytest.mark.parametrize("update", UPDATES)
def test_an_update_keeps_what_scaling_had_reached(build: Build, update: str) -> None:
    assert build().asked(update)["RetainAllVariantProperties"] is True


def test_green_keeps_no_capacity_of_what_was_in_its_place(build: Build) -> None:
    parameters = build().asked("BringUpGreen")

    assert parameters["RetainAllVariantProperties.$"] == "$.plan.shared.retain"


def test_blue_goes_only_after_its_scaling(build: Build) -> None:
    assert "RetireBlue" not in reachable(build(), "Begin", without="RemoveScaling")
    assert "ScaleDownBlue" not in reachable(build(), "Begin", without="LetBlueScaleNoMore")


def test_every_failure_finds_its_way_back_before_it_is_told(build: Build) -> None:
    """All but those after which nothing of the traffic is left to decide."""
    built = build()
    after = {
        *("FindWayBack", "RestoreTraffic", "RestoreConfiguration", "DeleteEndpoint", "RejectVersion", "Settle"),
        *("CreateBlueConfiguration", "CreateBlueConfigurationWithKey", "CleanUp", "CleanUpRetired"),
        *("Report", "ReportFailure", "NotifyReleased", "NotifyFailed"),
    }

    for name, state in built.definition["States"].items():
        if state["Type"] == "Task" and name not in after:
            (caught,) = state["Catch"]
            assert caught == {
                "ErrorEquals": ["States.ALL"],
                "ResultPath": f"$.failure.{name}",
                "Next": "FindWayBack",
            }


def test_a_failed_release_ends_as_its_step_with_one_sentence(build: Build) -> None:
    assert build().state("Failed") == {"Type": "Fail", "ErrorPath": "$.back.step", "CausePath": "$.back.sentence"}


@pytest.mark.parametrize(
    ("instance_type", "has_key"), [("ml.m5.large", True), ("ml.m5d.large", False), ("ml.c5d.xlarge", False)]
)
def test_volumes_have_the_key_unless_the_instance_encrypts_its_own_disks(
    build: Build, instance_type: str, *, has_key: bool
) -> None:
    built = build(instance_type=instance_type)

    assert ("KmsKeyId" in built.asked("CreateGreenConfiguration")) is has_key
    assert ("CreateSharedConfigurationWithKey" in built.definition["States"]) is has_key


def test_a_model_stands_in_the_network_and_reaches_nothing(build: Build) -> None:
    parameters = build(network=NETWORK).asked("CreateModel")

    assert parameters["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert parameters["EnableNetworkIsolation"] is True


def test_captured_requests_are_encrypted_in_the_artifact_store(build: Build) -> None:
    capture = build(capture=DataCapture(percentage=5)).asked("CreateGreenConfiguration")["DataCaptureConfig"]

    assert capture["InitialSamplingPercentage"] == 5
    assert capture["DestinationS3Uri"].endswith("/capture/dev-churn")
    assert capture["KmsKeyId"].startswith("arn:aws:kms:")


def test_an_approval_starts_a_release_and_the_marks_of_a_release_do_not(build: Build) -> None:
    built = build()

    built.template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": ["churn"],
                    "ModelApprovalStatus": ["Approved"],
                    "ModelLifeCycle": {"Stage": [{"exists": False}]},
                },
            },
            "Targets": [
                Match.object_like(
                    {
                        "InputTransformer": {
                            "InputPathsMap": {"detail-ModelPackageArn": "$.detail.ModelPackageArn"},
                            "InputTemplate": '{"model_package_arn":<detail-ModelPackageArn>,"by":"approval"}',
                        },
                        "DeadLetterConfig": Match.any_value(),
                        "RetryPolicy": {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 8},
                    }
                )
            ],
        },
    )


def test_every_execution_is_logged_and_traced(build: Build) -> None:
    build().template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {"LoggingConfiguration": Match.object_like({"Level": "ALL"}), "TracingConfiguration": {"Enabled": True}},
    )


def test_a_release_waits_longer_for_fleets_that_may_take_longer_and_looks_no_more_often(build: Build) -> None:
    waits = ("WatchGreen", "WatchRetirement", "FindWayBack")

    slow = build(startup_timeout=HOUR, download_timeout=HOUR)
    plain = build()

    assert [slow.state(name)["Parameters"]["Payload"]["pause_s"] for name in waits] == [90] * 3
    assert [slow.state(name)["Seconds"] for name in ("WaitForEndpoint", "WaitForStillness")] == [90, 750]
    assert not any("pause_s" in plain.state(name)["Parameters"]["Payload"] for name in waits)
    assert [plain.state(name)["Seconds"] for name in ("WaitForEndpoint", "WaitForStillness")] == [30, 150]
    assert "pause_s" not in slow.state("WatchTraffic")["Parameters"]["Payload"]


def test_an_endpoint_whose_name_only_the_deployment_knows_cannot_be_released_to() -> None:
    stack = PlatformStack(App(), "Serving")
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    name = CfnParameter(stack, "Name").value_as_string
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=name, artifacts=artifacts, key=key)
    registry = ModelRegistry.from_group_name(stack, "Registry", "churn")

    with pytest.raises(
        ConfigurationError,
        match=r"\[Serving/Release\] the endpoint_name .* must be known while the app is built, got a",
    ):
        BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
