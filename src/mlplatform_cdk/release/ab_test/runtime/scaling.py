"""Challengers scale as the control does while callers meet them, and no more when their variants go."""

from collections.abc import Sequence
from typing import Any

from mlplatform_cdk.runtimekit import aws

_PLACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
_BOUNDS = ("MinCapacity", "MaxCapacity", "SuspendedState")
_POLICY = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
_TRACKING = "TargetTrackingScaling"


def follow(endpoint: str, control: str, challengers: Sequence[str]) -> None:
    """Let ``challengers`` scale within the control's bounds and by its policies; not, where the control does not.

    :param endpoint: the endpoint's name.
    :param control: the variant that was there.
    :param challengers: the variants that were brought up beside it.
    """
    client, like = aws.client("application-autoscaling"), _id(endpoint, control)
    for target in _targets(endpoint, [control]):
        policies = client.describe_scaling_policies(ResourceId=like, **_PLACE)["ScalingPolicies"]
        bounds = {name: target[name] for name in _BOUNDS if name in target}
        for variant in challengers:
            place = {"ResourceId": _id(endpoint, variant), **_PLACE}
            client.register_scalable_target(**place, **bounds)
            for policy in policies:
                if policy["PolicyType"] == _TRACKING:
                    client.put_scaling_policy(**place, **{name: policy[name] for name in _POLICY})


def forget(endpoint: str, challengers: Sequence[str]) -> None:
    """Take ``challengers`` out of scaling: SageMaker keeps a variant that scales."""
    client = aws.client("application-autoscaling")
    for target in _targets(endpoint, challengers):
        client.deregister_scalable_target(ResourceId=target["ResourceId"], **_PLACE)


def _targets(endpoint: str, variants: Sequence[str]) -> list[dict[str, Any]]:
    found = aws.client("application-autoscaling").describe_scalable_targets(
        ResourceIds=[_id(endpoint, variant) for variant in variants], **_PLACE
    )
    return list(found["ScalableTargets"])


def _id(endpoint: str, variant: str) -> str:
    return f"endpoint/{endpoint}/variant/{variant}"
