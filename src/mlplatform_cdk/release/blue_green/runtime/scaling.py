"""Scaling stands still while traffic shifts, goes before its variant goes, and comes back on the way back."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Target
from mlplatform_cdk.runtimekit import aws, logs, scalable_targets
from mlplatform_cdk.runtimekit.endpoint_specification import VARIANTS

_KINDS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_LOG = logs.logger("scaling")
_POLICY = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")


def read_targets(endpoint_name: str) -> tuple[Target, ...]:
    """The variants of the endpoint that scale."""
    return tuple(
        Target(
            variant=target["ResourceId"].rsplit("/", 1)[-1],
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            suspended=any((target.get("SuspendedState") or {}).get(kind, False) for kind in _KINDS),
            policies=_policies(target["ResourceId"]),
        )
        for target in scalable_targets.registered(endpoint_name, VARIANTS)
    )


def suspend(endpoint_name: str, targets: Sequence[dict[str, Any]]) -> None:
    """Hold every one of ``targets`` still."""
    for target in targets:
        _register(endpoint_name, target, suspended=True)


def remove(endpoint_name: str, targets: Sequence[Mapping[str, Any]]) -> None:
    """Let application auto scaling forget ``targets``; SageMaker keeps a variant that it still knows."""
    known = scalable_targets.registered(endpoint_name, [one["variant"] for one in targets])
    scalable_targets.deregister(known, owner=endpoint_name)


def let_go(endpoint_name: str, variant: str) -> None:
    """The same of one variant; what AWS does not take now is no failure, since who asks is to ask again."""
    client = aws.client("application-autoscaling")
    try:
        remove(endpoint_name, [{"variant": variant}])
    except (client.exceptions.ClientError, scalable_targets.NotOurTarget) as error:
        _LOG.warning("it scales on", extra={"endpoint": endpoint_name, "variant": variant, "reason": str(error)})


def restore(endpoint_name: str, targets: Sequence[dict[str, Any]]) -> None:
    """Let ``targets`` scale as they did when the release began; one that is not the endpoint's was never held still."""
    for target in targets:
        try:
            _register(endpoint_name, target, suspended=False)
        except scalable_targets.NotOurTarget as error:
            _LOG.warning("it is left as it is", extra={"variant": target["variant"], "reason": str(error)})
            continue
        for policy in target["policies"]:
            aws.client("application-autoscaling").put_scaling_policy(
                **scalable_targets.place_of(endpoint_name, target["variant"]), **policy
            )


def _register(endpoint_name: str, target: dict[str, Any], *, suspended: bool) -> None:
    bounds = {"MinCapacity": target["minimum"], "MaxCapacity": target["maximum"]}
    state = {"SuspendedState": dict.fromkeys(_KINDS, suspended)}
    place = scalable_targets.place_of(endpoint_name, target["variant"])
    scalable_targets.register({**place, **bounds, **state}, owner=endpoint_name)


def _policies(resource_id: str) -> tuple[dict[str, Any], ...]:
    found = aws.client("application-autoscaling").describe_scaling_policies(
        **scalable_targets.VARIANTS_SCALE, ResourceId=resource_id
    )
    tracking = [one for one in found["ScalingPolicies"] if one["PolicyType"] == "TargetTrackingScaling"]
    return tuple({name: policy[name] for name in _POLICY} for policy in tracking)
