"""Challengers scale as the control does while callers meet them, and no more when their variants go."""

from collections.abc import Sequence

from mlplatform_cdk.runtimekit import aws, scalable_targets

_BOUNDS = ("MinCapacity", "MaxCapacity", "SuspendedState")
_POLICY = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
_TRACKING = "TargetTrackingScaling"


def follow(endpoint: str, control: str, challengers: Sequence[str]) -> None:
    """Let ``challengers`` scale within the control's bounds and by its policies; not, where the control does not.

    :param endpoint: the endpoint's name.
    :param control: the variant that was there.
    :param challengers: the variants that were brought up beside it.
    """
    client = aws.client("application-autoscaling")
    for target in scalable_targets.registered(endpoint, [control]):
        like = scalable_targets.place_of(endpoint, control)
        policies = client.describe_scaling_policies(**like)["ScalingPolicies"]
        bounds = {name: target[name] for name in _BOUNDS if name in target}
        for variant in challengers:
            place = scalable_targets.place_of(endpoint, variant)
            scalable_targets.register({**place, **bounds}, owner=endpoint)
            for policy in policies:
                if policy["PolicyType"] == _TRACKING:
                    client.put_scaling_policy(**place, **{name: policy[name] for name in _POLICY})


def forget(endpoint: str, challengers: Sequence[str]) -> None:
    """Take ``challengers`` out of scaling: SageMaker keeps a variant that scales."""
    scalable_targets.deregister(scalable_targets.registered(endpoint, challengers), owner=endpoint)
