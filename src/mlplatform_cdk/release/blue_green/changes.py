"""What the states of a release have in common: its specification, and how a change of the endpoint is made and seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.tasks import Tasks, choice
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification

LOOK_EVERY_S = 30
MOST_LOOKS = 120  # an hour for a fleet to come up, and for a turn


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


def configuration_state(release: Release, name: str, which: str, *, keyed: bool) -> State:
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


def update_state(release: Release, name: str, configuration: str) -> State:
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


def watched(
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
