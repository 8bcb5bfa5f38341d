"""What is left when green has all the traffic and blue is gone: scaling by its own load, and the registry's marks."""

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.changes import Release


def after_alone(release: Release) -> str:
    """The state that follows when green has all the traffic and blue is gone."""
    return "RegisterScaling" if release.specification.scales else "MarkProduction"


def finishing_states(release: Release) -> dict[str, State]:
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
