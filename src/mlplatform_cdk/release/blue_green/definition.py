"""A release, state by state: the way there, each change watched until it is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.endings import ending_states
from mlplatform_cdk.release.blue_green.tasks import State, Tasks, choice
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification

LOOK_EVERY_S = 30
MOST_LOOKS = 120  # an hour for a fleet to come up, and for a turn
_PLAN = (
    *("way", "why", "label", "model", "green", "blue", "shared", "scaled", "manifest", "rejectable", "looks"),
    "package_arn",
)
_RECORD = ("record", "requests", "latency_p50_ms", "latency_max_ms", "budget_ms", "within_budget")
_TO_GREEN = [
    {"VariantName.$": "$.plan.green.variant", "DesiredWeight": 1},
    {"VariantName.$": "$.plan.blue.variant", "DesiredWeight": 0},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All that tells one endpoint's states from another's.

    :param tasks: makes the task states.
    :param specification: what each release brings the endpoint to.
    :param topic_arn: where people hear of it; None: nowhere.
    """

    tasks: Tasks
    specification: EndpointSpecification
    topic_arn: str | None


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
            **_finishing(release),
            **ending_states(
                release.tasks,
                release.specification.endpoint_name,
                release.topic_arn,
                look_every_s=LOOK_EVERY_S,
                most_looks=MOST_LOOKS,
            ),
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
        "CreateGreenConfiguration": _configuration(release, "CreateGreenConfiguration", "green", keyed=True)
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
        shared: _configuration(release, shared, "shared", keyed=False) | {"Next": "BringUpGreen"},
        "BringUpGreen": _update(release, "BringUpGreen", "$.plan.shared.configuration") | {"Next": "WaitForGreen"},
        **_watched(release, "Green", "$.plan.shared.configuration", variants=[], then="TestGreen"),
    }
    if keyed:
        # SageMaker refuses a key for disks that encrypt themselves, and a configuration has one key for all variants.
        name = f"{shared}WithKey"
        states["AreBlueVolumesKeyed"] = choice(("$.plan.shared.keyed", True, name), default=shared)
        states[name] = _configuration(release, name, "shared", keyed=True) | {"Next": "BringUpGreen"}
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
        **_watched(release, "Traffic", "$.plan.shared.configuration", variants=_TO_GREEN, then="RemoveScaling"),
        "RemoveScaling": tasks.step(
            "RemoveScaling",
            "remove_scaling",
            {"endpoint_name": endpoint_name, "scaled.$": "$.plan.scaled"},
            answers=(),
            into="",
        )
        | {"Next": "RetireBlue"},
        "RetireBlue": _update(release, "RetireBlue", "$.plan.green.configuration") | {"Next": "WaitForRetirement"},
        **_watched(
            release, "Retirement", "$.plan.green.configuration", variants=_TO_GREEN[:1], then=after_alone(release)
        ),
    }


def after_alone(release: Release) -> str:
    """The state that follows when green has all the traffic and blue is gone."""
    return "RegisterScaling" if release.specification.scales else "MarkProduction"


def _finishing(release: Release) -> dict[str, State]:
    """Green scales by its own load, and the registry knows."""
    specification = release.specification
    mark = release.tasks.step(
        "MarkProduction",
        "mark",
        {"endpoint_name": specification.endpoint_name, "package_arn.$": "$.plan.package_arn"},
        answers=("former",),
        into="$.production",
    )
    states = {"MarkProduction": mark | {"Next": "NotifyReleased" if release.topic_arn else "Released"}}
    if not specification.scales:
        return states
    variant = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId.$": f"States.Format('endpoint/{specification.endpoint_name}/variant/{{}}', $.plan.green.variant)",
    }
    kinds = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    register = release.tasks.call(
        "RegisterScaling",
        "aws-sdk:applicationautoscaling:registerScalableTarget",
        {
            **variant,
            "MinCapacity": specification.minimum,
            "MaxCapacity": specification.maximum,
            "SuspendedState": dict.fromkeys(kinds, False),
        },
    )
    track = release.tasks.call(
        "ScaleByTraffic",
        "aws-sdk:applicationautoscaling:putScalingPolicy",
        {
            **variant,
            "PolicyName": "invocations-per-instance",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": specification.invocations_per_minute,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleOutCooldown": 60,
                "ScaleInCooldown": 300,
            },
        },
    )
    return {
        "RegisterScaling": register | {"Next": "ScaleByTraffic"},
        "ScaleByTraffic": track | {"Next": "MarkProduction"},
        **states,
    }


def _configuration(release: Release, name: str, which: str, *, keyed: bool) -> State:
    """Create the endpoint configuration ``$.plan.<which>``."""
    specification = release.specification
    parameters: dict[str, Any] = {
        "EndpointConfigName.$": f"$.plan.{which}.configuration",
        "ProductionVariants.$": f"$.plan.{which}.variants",
    }
    if keyed and specification.volume_key_arn is not None:
        parameters["KmsKeyId"] = specification.volume_key_arn
    if specification.capture_uri is not None:
        parameters["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": specification.capture_percentage,
            "DestinationS3Uri": specification.capture_uri,
            "KmsKeyId": specification.capture_key_arn,
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
        }
    return release.tasks.call(name, "aws-sdk:sagemaker:createEndpointConfig", parameters)


def _update(release: Release, name: str, configuration: str) -> State:
    """Bring the endpoint to another configuration; what scaling had reached stays, and so do the weights."""
    return release.tasks.change(
        name, "aws-sdk:sagemaker:updateEndpoint", update_parameters(release.specification.endpoint_name, configuration)
    )


def update_parameters(endpoint_name: str, configuration: str) -> dict[str, Any]:
    """UpdateEndpoint's parameters; only the capture follows the new configuration at once."""
    return {
        "EndpointName": endpoint_name,
        "EndpointConfigName.$": configuration,
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
    }


def _watched(
    release: Release, what: str, configuration: str, *, variants: Sequence[Mapping[str, Any]], then: str
) -> dict[str, State]:
    """Wait, look, and wait again until the endpoint is what was asked for."""
    wait, watch, settled = f"WaitFor{what}", f"Watch{what}", f"Is{what}There"
    look = release.tasks.step(
        watch,
        "watch",
        {
            "endpoint_name": release.specification.endpoint_name,
            "configuration.$": configuration,
            "variants": [*variants],
            "looks.$": "$.watch.looks",
            "most_looks": MOST_LOOKS,
        },
        answers=("settled", "looks"),
        into="$.watch",
    )
    return {
        wait: {"Type": "Wait", "Seconds": LOOK_EVERY_S, "Next": watch},
        watch: look | {"Next": settled},
        settled: choice(("$.watch.settled", True, then), default=wait),
    }
