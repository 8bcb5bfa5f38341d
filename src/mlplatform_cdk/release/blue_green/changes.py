"""What the states of a release have in common: its specification, and how a change of the endpoint is made and seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import State, caught_as
from mlplatform_cdk.release.blue_green.runtime.core import SLOW_S
from mlplatform_cdk.release.blue_green.tasks import Tasks, choice
from mlplatform_cdk.runtimekit.endpoint_specification import METRICS_EVERY_S, EndpointSpecification
from mlplatform_cdk.runtimekit.release_strategy import EVENTS_A_LOOK, Strategy

MOST_LOOKS = 120  # an hour for a fleet to come up, and as much more as a slow start may take
MOST_WEIGHT_LOOKS = 24  # seven minutes for weights to change
# Half an hour for the endpoint to end what its scaling has begun; mostly the first look is the last.
_STILL_EVERY_S, MOST_STILL_LOOKS = 150, 12
# Nearly two and a half days for the turn, and for what runs before to bake and to wait for people: 20 looks of half a
# minute and 230 of a quarter of an hour.
MOST_TURN_LOOKS = 250
# What the states know of a plan.
PLAN = (
    *("way", "why", "label", "before", "finishing", "model", "green", "blue", "shared", "shadow", "scaled", "manifest"),
    *("rejectable", "looks", "package_arn"),
)
FLEETS = 5  # changes of a fleet in one execution: the shadow, green, the scale-down, the retirement, the way back


def most_events(looks: int, steps: int) -> int:
    """The events in the history of the longest execution; a state machine's history holds 25,000.

    A look is a wait (2 events), a task (5) and a choice (2). A step is a decision and a change beside its looks. A
    hundred states of one visit remain, of five events each.

    :param looks: the most looks at green.
    :param steps: how many steps the shift has.
    """
    # An execution may end another one's release before its own; and the plan waits until nobody changes the endpoint.
    fleets = (FLEETS + 1) * MOST_LOOKS
    watches = MOST_TURN_LOOKS + 3 * MOST_STILL_LOOKS + fleets + (steps + 1) * MOST_WEIGHT_LOOKS
    return EVENTS_A_LOOK * (looks + watches) + steps * (5 + 2 + 5) + 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All that tells one endpoint's states from another's.

    :param tasks: makes the task states.
    :param specification: what each release brings the endpoint to.
    :param strategy: how green gets its traffic.
    :param alarms: the names of the alarms of each variant, and of the business.
    :param machine: how many cores and GPUs an instance has.
    :param gate_arn: the function that asks people; None: nobody is asked.
    :param report_arn: the function that writes the report; None: there is none.
    :param topic_arn: where people hear of it; None: nowhere.
    """

    tasks: Tasks
    specification: EndpointSpecification
    strategy: Strategy
    alarms: Mapping[str, Sequence[str]]
    machine: Mapping[str, int]
    gate_arn: str | None
    report_arn: str | None
    topic_arn: str | None

    @property
    def look_every_s(self) -> int:
        """Seconds between two looks at fleets that come up; slow ones are looked at as often, over a longer time."""
        return SLOW_S + math.ceil(self.specification.slow_start_s / MOST_LOOKS)

    @property
    def still_every_s(self) -> int:
        """Seconds between two looks at an endpoint that ends what its scaling has begun."""
        return _STILL_EVERY_S + math.ceil(self.specification.slow_start_s / MOST_STILL_LOOKS)

    @property
    def pace(self) -> dict[str, int]:
        """What a step that looks at fleets is told where they come up slowly."""
        return {"pause_s": self.look_every_s} if self.look_every_s != SLOW_S else {}


def report_state(release: Release, name: str, outcome: str, *, then: str) -> dict[str, State]:
    """Write the report of what has ended; without a report nothing about the release changes."""
    if release.report_arn is None:
        return {}
    told = {
        "endpoint": release.specification.endpoint_name,
        "release.$": "$$.Execution.Id",
        "outcome": outcome,
    }
    task = release.tasks.function(name, release.report_arn, told)
    return {name: caught_as(task, f"$.stumbles.{name}", then) | {"Next": then}}


def scaling_policy(specification: EndpointSpecification) -> dict[str, Any]:
    """How a variant follows its load, as PutScalingPolicy takes it."""
    return {
        "PolicyName": "invocations-per-instance",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": specification.invocations_per_minute,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
        },
    }


def configuration_state(release: Release, name: str, which: str, *, keyed: bool) -> State:
    """Create the endpoint configuration ``$.plan.<which>``."""
    specification = release.specification
    parameters: dict[str, Any] = {
        "EndpointConfigName.$": f"$.plan.{which}.configuration",
        "ProductionVariants.$": f"$.plan.{which}.variants",
    }
    if which == "shadow":
        parameters["ShadowProductionVariants.$"] = "$.plan.shadow.shadows"
    # SageMaker's own default is on: see ``ReleasedEndpoint``.
    metrics: dict[str, Any] = {"EnableDetailedObservability": specification.detailed_observability}
    if (every := specification.metrics_every_s) != METRICS_EVERY_S:
        metrics |= {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": every}
    parameters["MetricsConfig"] = metrics
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
    return release.tasks.call(name, "sagemaker:createEndpointConfig", parameters)


def kept_configuration_states(release: Release, name: str, which: str, *, then: str) -> tuple[str, dict[str, State]]:
    """The states that create a configuration with blue in it, and the name of the first one.

    SageMaker refuses a key for disks that encrypt themselves, and a configuration has one key for all variants.
    """
    states = {name: configuration_state(release, name, which, keyed=False) | {"Next": then}}
    if release.specification.volume_key_arn is None:
        return name, states
    keyed, which_key = f"{name}WithKey", f"WhichKeyFor{name.removeprefix('Create')}"
    states[keyed] = configuration_state(release, keyed, which, keyed=True) | {"Next": then}
    states[which_key] = choice(("$.plan.shared.keyed", True, keyed), default=name)
    return which_key, states


def update_state(release: Release, name: str, configuration: str, *, retain: str = "") -> State:
    """Bring the endpoint to another configuration; what scaling had reached stays, and so do the weights."""
    parameters = update_parameters(release.specification.endpoint_name, configuration, retain=retain)
    return release.tasks.change(name, "sagemaker:updateEndpoint", parameters)


def update_parameters(endpoint_name: str, configuration: str, *, retain: str = "") -> dict[str, Any]:
    """UpdateEndpoint's parameters; only the capture follows the new configuration at once.

    :param endpoint_name: the endpoint.
    :param configuration: the path of its next configuration.
    :param retain: the path of whether capacity and weights stay; default: they do.
    """
    kept: dict[str, Any] = {"RetainAllVariantProperties.$": retain} if retain else {"RetainAllVariantProperties": True}
    return {
        "EndpointName": endpoint_name,
        "EndpointConfigName.$": configuration,
        **kept,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
    }


def watched(
    release: Release,
    what: str,
    configuration: str,
    *,
    variants: str | Sequence[Mapping[str, Any]] = (),
    then: str,
    most_looks: int = MOST_LOOKS,
) -> dict[str, State]:
    """Wait, look, and wait again until the endpoint is what was asked for; ``variants``: their weights, or a path."""
    asked: dict[str, Any] = {"variants.$": variants} if isinstance(variants, str) else {"variants": [*variants]}
    wait, watch, settled = f"WaitFor{what}", f"Watch{what}", f"Is{what}There"
    look = release.tasks.step(
        watch,
        "watch",
        {
            "configuration.$": configuration,
            **asked,
            "looks.$": "$.watch.looks",
            "most_looks": most_looks,
            **(release.pace if most_looks == MOST_LOOKS else {}),
        },
        answers=("settled", "looks", "every_s"),
        into="$.watch",
    )
    return {
        wait: {"Type": "Wait", "SecondsPath": "$.watch.every_s", "Next": watch},
        watch: look | {"Next": settled},
        settled: choice(("$.watch.settled", True, then), default=wait),
    }
