"""Scaling stands still while traffic shifts, goes before its variant goes, and comes back on the way back."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Target
from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.endpoint_specification import VARIANTS

_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_KINDS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_LOG = logs.logger("scaling")
_POLICY = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")


def read_targets(endpoint_name: str) -> tuple[Target, ...]:
    """The variants of the endpoint that scale."""
    client = aws.client("application-autoscaling")
    found = client.describe_scalable_targets(
        ServiceNamespace=_NAMESPACE,
        ResourceIds=[_id(endpoint_name, variant) for variant in VARIANTS],
        ScalableDimension=_DIMENSION,
    )
    return tuple(
        Target(
            variant=target["ResourceId"].rsplit("/", 1)[-1],
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            suspended=any((target.get("SuspendedState") or {}).get(kind, False) for kind in _KINDS),
            policies=_policies(target["ResourceId"]),
        )
        for target in found["ScalableTargets"]
    )


def suspend(endpoint_name: str, targets: Sequence[dict[str, Any]]) -> None:
    """Hold every one of ``targets`` still."""
    for target in targets:
        _register(endpoint_name, target, suspended=True)


def remove(endpoint_name: str, targets: Sequence[Mapping[str, Any]]) -> None:
    """Let application auto scaling forget ``targets``; SageMaker keeps a variant that it still knows."""
    client = aws.client("application-autoscaling")
    registered = {one.variant for one in read_targets(endpoint_name)}
    for target in targets:
        if target["variant"] in registered:
            client.deregister_scalable_target(**_names(endpoint_name, target["variant"]))


def let_go(endpoint_name: str, variant: str) -> None:
    """The same of one variant; what AWS does not take now is no failure, since who asks is to ask again."""
    client = aws.client("application-autoscaling")
    try:
        remove(endpoint_name, [{"variant": variant}])
    except client.exceptions.ClientError as error:
        _LOG.warning("it scales on", extra={"endpoint": endpoint_name, "variant": variant, "reason": str(error)})


def restore(endpoint_name: str, targets: Sequence[dict[str, Any]]) -> None:
    """Let ``targets`` scale as they did when the release began."""
    for target in targets:
        _register(endpoint_name, target, suspended=False)
        for policy in target["policies"]:
            aws.client("application-autoscaling").put_scaling_policy(
                **_names(endpoint_name, target["variant"]), **policy
            )


def _register(endpoint_name: str, target: dict[str, Any], *, suspended: bool) -> None:
    aws.client("application-autoscaling").register_scalable_target(
        **_names(endpoint_name, target["variant"]),
        MinCapacity=target["minimum"],
        MaxCapacity=target["maximum"],
        SuspendedState=dict.fromkeys(_KINDS, suspended),
    )


def _policies(resource_id: str) -> tuple[dict[str, Any], ...]:
    found = aws.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace=_NAMESPACE, ResourceId=resource_id, ScalableDimension=_DIMENSION
    )
    tracking = [one for one in found["ScalingPolicies"] if one["PolicyType"] == "TargetTrackingScaling"]
    return tuple({name: policy[name] for name in _POLICY} for policy in tracking)


def _names(endpoint_name: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": _NAMESPACE,
        "ResourceId": _id(endpoint_name, variant),
        "ScalableDimension": _DIMENSION,
    }


def _id(endpoint_name: str, variant: str) -> str:
    return f"endpoint/{endpoint_name}/variant/{variant}"
