"""Keeps the scaling of an endpoint while CloudFormation changes it. Each may be called again after any interruption."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs, scalable_targets, settings
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.realtime_endpoint.runtime.fleet import Fleet, Wanted

_LOG = logs.logger("fleet")
_POLICY = "invocations-per-instance"
_POLL_S = 5.0


class FleetError(KnownError):
    """The endpoint is not what the template asks for."""


def prepare(wanted: Wanted) -> None:
    """Before an update: a variant that goes or gets other instances stops scaling, and whatever stays scales.

    The second half is for a stack that rolls back: what the failed update had taken off is put back.
    """
    endpoint = _describe(wanted.endpoint_name)
    if endpoint is None:
        return
    configuration = aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {one["VariantName"]: one.get("InstanceType", "") for one in configuration["ProductionVariants"]}
    _deregister(wanted.endpoint_name, wanted.leaving(types))
    _register(wanted.endpoint_name, [one for one in wanted.staying(types) if one.scales])


def settle(wanted: Wanted, *, seconds_left: Callable[[], float]) -> None:
    """After an update: the endpoint runs what was asked for, has instances within its bounds, and scales.

    :param wanted: what the template asks for.
    :param seconds_left: how much longer this may take.
    :raises FleetError: when SageMaker has taken the update back.
    """
    endpoint = _in_service(wanted.endpoint_name, seconds_left)
    live = endpoint["EndpointConfigName"]
    if live != wanted.configuration:
        message = (
            f"endpoint {wanted.endpoint_name} must run {wanted.configuration}, got {live}: SageMaker rolled the update "
            f"back ({endpoint.get('FailureReason', 'it gave no reason')})"
        )
        raise FleetError(message)
    counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in endpoint["ProductionVariants"]}
    _deregister(wanted.endpoint_name, [one.variant for one in wanted.fleets if not one.scales])
    _resize(wanted.endpoint_name, wanted.resized(counts), seconds_left)
    _register(wanted.endpoint_name, [one for one in wanted.fleets if one.scales], again=True)


def leave(wanted: Wanted) -> None:
    """Before the endpoint goes: nothing scales it any more."""
    _deregister(wanted.endpoint_name, [one.variant for one in wanted.fleets])


def _resize(name: str, counts: Mapping[str, int], seconds_left: Callable[[], float]) -> None:
    if not counts:
        return
    _LOG.info("resizing", extra={"endpoint": name, "counts": dict(counts)})
    aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": variant, "DesiredInstanceCount": count} for variant, count in counts.items()
        ],
    )
    _in_service(name, seconds_left)


def _in_service(name: str, seconds_left: Callable[[], float]) -> dict[str, Any]:
    while True:
        endpoint = _describe(name)
        status = endpoint["EndpointStatus"] if endpoint else "gone"
        if endpoint is not None and status == "InService":
            return endpoint
        if status in {"gone", "Failed", "OutOfService", "Deleting"} or seconds_left() <= 0:
            message = f"endpoint {name} must be InService to be scaled, got {status}; look at it and deploy again"
            raise FleetError(message)
        time.sleep(min(_POLL_S, max(seconds_left(), 0.0)))


def _describe(name: str) -> dict[str, Any] | None:
    sagemaker = aws.client("sagemaker")
    try:
        endpoint: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except sagemaker.exceptions.ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return None
        raise
    return endpoint


def _deregister(name: str, variants: Iterable[str]) -> None:
    scalable_targets.deregister(scalable_targets.registered(name, variants), owner=_owner())


def _register(name: str, fleets: Iterable[Fleet], *, again: bool = False) -> None:
    """Let ``fleets`` scale: those that do not yet, or, ``again``, all of them with what the template says now."""
    wanted = [*fleets]
    known = [] if again else scalable_targets.registered(name, (one.variant for one in wanted))
    ids = {one["ResourceId"] for one in known}
    autoscaling = aws.client("application-autoscaling")
    for fleet in wanted:
        place = scalable_targets.place_of(name, fleet.variant)
        if place["ResourceId"] in ids:
            continue
        bounds = {"MinCapacity": fleet.minimum, "MaxCapacity": fleet.maximum}
        scalable_targets.register({**place, **bounds}, owner=_owner())
        autoscaling.put_scaling_policy(
            **place,
            PolicyName=_POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(fleet.invocations_per_minute),
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleOutCooldown": 60,
                "ScaleInCooldown": 300,
            },
        )


def _owner() -> str:
    """Whose the targets are: the construct, not the endpoint, whose name may change."""
    return settings.required("SCALING_OWNER")
