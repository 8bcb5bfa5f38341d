"""A release, state by state: the way there, each change watched until it is true."""

from typing import Any

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.changes import (
    LOOK_EVERY_S,
    MOST_LOOKS,
    Release,
    configuration_state,
    update_state,
    watched,
)
from mlplatform_cdk.release.blue_green.endings import ending_states
from mlplatform_cdk.release.blue_green.finishing import after_alone, finishing_states
from mlplatform_cdk.release.blue_green.tasks import choice

_PLAN = (
    *("way", "why", "label", "model", "green", "blue", "shared", "scaled", "manifest", "rejectable", "looks"),
    "package_arn",
)
_RECORD = ("record", "requests", "latency_p50_ms", "latency_max_ms", "budget_ms", "within_budget")
_TO_GREEN = [
    {"VariantName.$": "$.plan.green.variant", "DesiredWeight": 1},
    {"VariantName.$": "$.plan.blue.variant", "DesiredWeight": 0},
]


def definition(release: Release) -> dict[str, Any]:
    """The state machine as Amazon States Language."""
    return {
        "Comment": f"Releases a version to {release.specification.endpoint_name}: beside, tested, switched, alone",
        "StartAt": "Begin",
        "States": {
            **_planning(release),
            **_making(release),
            **_bringing_up(release),
            **_switching(release),
            **finishing_states(release),
            **ending_states(release),
        },
    }


def _planning(release: Release) -> dict[str, State]:
    """What is there, and so what must be done; or wait for the turn."""
    endpoint_name = release.specification.endpoint_name
    return {
        "Begin": {
            "Type": "Pass",
            "Parameters": {
                "request.$": "$$.Execution.Input",
                "plan": {"looks": 0},
                "tests": {"record": "it was tested before, and its release is finished now"},
                "back": {"looks": 0},
            },
            "Next": "Plan",
        },
        "Plan": release.tasks.step(
            "Plan",
            "plan",
            {
                "request.$": "$.request",
                "specification": release.specification.to_mapping(),
                "machine_arn.$": "$$.StateMachine.Id",
                "started.$": "$$.Execution.StartTime",
                "looks.$": "$.plan.looks",
                "most_looks": MOST_LOOKS,
            },
            answers=_PLAN,
            into="$.plan",
        )
        | {"Next": "WhichWay"},
        "WhichWay": choice(
            ("$.plan.way", "wait", "WaitForTurn"),
            ("$.plan.way", "clear", "DeleteFailedEndpoint"),
            ("$.plan.way", "nothing", "NothingToDo"),
            ("$.plan.way", "finish", after_alone(release)),
            ("$.plan.model.exists", True, "CreateGreenConfiguration"),
            default="CreateModel",
        ),
        "WaitForTurn": {"Type": "Wait", "Seconds": LOOK_EVERY_S, "Next": "Plan"},
        "DeleteFailedEndpoint": release.tasks.call(
            "DeleteFailedEndpoint", "aws-sdk:sagemaker:deleteEndpoint", {"EndpointName": endpoint_name}
        )
        | {"Next": "WaitForTurn"},
        "NothingToDo": {"Type": "Succeed"},
    }


def _making(release: Release) -> dict[str, State]:
    """The model, and the configurations that hold it alone and beside blue."""
    specification = release.specification
    model: dict[str, Any] = {
        "ModelName.$": "$.plan.model.name",
        "ExecutionRoleArn": specification.model_role_arn,
        "EnableNetworkIsolation": specification.network_isolation,
        "PrimaryContainer": {
            "Image.$": "$.plan.model.image",
            "ModelDataUrl.$": "$.plan.model.data_url",
            "Environment.$": "$.plan.model.environment",
        },
    }
    if specification.subnet_ids:
        subnets, groups = [*specification.subnet_ids], [*specification.security_group_ids]
        model["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups}
    create_model = release.tasks.call("CreateModel", "aws-sdk:sagemaker:createModel", model)
    return {
        "CreateModel": create_model | {"Next": "CreateGreenConfiguration"},
        "CreateGreenConfiguration": configuration_state(release, "CreateGreenConfiguration", "green", keyed=True)
        | {"Next": "HowDoesGreenCome"},
        "HowDoesGreenCome": choice(
            ("$.plan.way", "first", "CreateEndpoint"), ("$.plan.way", "resume", "TestGreen"), default="SuspendScaling"
        ),
    }


def _bringing_up(release: Release) -> dict[str, State]:
    """Green in service: alone at the first release, else beside blue and without traffic."""
    tasks, endpoint_name = release.tasks, release.specification.endpoint_name
    keyed = release.specification.volume_key_arn is not None
    shared = "CreateSharedConfiguration"
    states = {
        "CreateEndpoint": tasks.change(
            "CreateEndpoint",
            "aws-sdk:sagemaker:createEndpoint",
            {"EndpointName": endpoint_name, "EndpointConfigName.$": "$.plan.green.configuration"},
        )
        | {"Next": "WaitForGreen"},
        "SuspendScaling": tasks.step(
            "SuspendScaling",
            "suspend_scaling",
            {"endpoint_name": endpoint_name, "scaled.$": "$.plan.scaled"},
            answers=(),
            into="",
        )
        | {"Next": "AreBlueVolumesKeyed" if keyed else shared},
        shared: configuration_state(release, shared, "shared", keyed=False) | {"Next": "BringUpGreen"},
        "BringUpGreen": update_state(release, "BringUpGreen", "$.plan.shared.configuration") | {"Next": "WaitForGreen"},
        **watched(release, "Green", "$.plan.shared.configuration", variants=[], then="TestGreen"),
    }
    if keyed:
        # SageMaker refuses a key for disks that encrypt themselves, and a configuration has one key for all variants.
        name = f"{shared}WithKey"
        states["AreBlueVolumesKeyed"] = choice(("$.plan.shared.keyed", True, name), default=shared)
        states[name] = configuration_state(release, name, "shared", keyed=True) | {"Next": "BringUpGreen"}
    return states


def _switching(release: Release) -> dict[str, State]:
    """The test, and only then the traffic, and only then the end of blue."""
    tasks, endpoint_name = release.tasks, release.specification.endpoint_name
    return {
        "TestGreen": tasks.step(
            "TestGreen",
            "test",
            {
                "endpoint_name": endpoint_name,
                "variant.$": "$.plan.green.variant",
                "manifest.$": "$.plan.manifest",
            },
            answers=_RECORD,
            into="$.tests",
        )
        | {"Next": "IsThereBlue"},
        "IsThereBlue": choice(("$.plan.blue.exists", True, "SwitchTraffic"), default=after_alone(release)),
        "SwitchTraffic": tasks.change(
            "SwitchTraffic",
            "aws-sdk:sagemaker:updateEndpointWeightsAndCapacities",
            {"EndpointName": endpoint_name, "DesiredWeightsAndCapacities": _TO_GREEN},
        )
        | {"Next": "WaitForTraffic"},
        **watched(release, "Traffic", "$.plan.shared.configuration", variants=_TO_GREEN, then="RemoveScaling"),
        "RemoveScaling": tasks.step(
            "RemoveScaling",
            "remove_scaling",
            {"endpoint_name": endpoint_name, "scaled.$": "$.plan.scaled"},
            answers=(),
            into="",
        )
        | {"Next": "RetireBlue"},
        "RetireBlue": update_state(release, "RetireBlue", "$.plan.green.configuration") | {"Next": "WaitForRetirement"},
        **watched(
            release, "Retirement", "$.plan.green.configuration", variants=_TO_GREEN[:1], then=after_alone(release)
        ),
    }
