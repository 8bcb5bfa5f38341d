"""What is left when green has passed all: scaling by its own load, the registry's marks, and what nobody needs."""

from mlplatform_cdk.core.states import State, caught_as
from mlplatform_cdk.release.blue_green.changes import Release, report_state, scaling_policy
from mlplatform_cdk.release.blue_green.tasks import choice


def after_alone(release: Release) -> str:
    """The state that follows when green has all the traffic and blue is out of the way."""
    return "RegisterScaling" if release.specification.scales else "MarkProduction"


def finishing_states(release: Release) -> dict[str, State]:
    """Green scales by its own load, and the registry knows."""
    specification = release.specification
    states = _marking(release)
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
        "applicationautoscaling:registerScalableTarget",
        {
            **variant,
            "MinCapacity": specification.minimum,
            "MaxCapacity": specification.maximum,
            "SuspendedState": dict.fromkeys(kinds, False),
        },
    )
    track = release.tasks.call(
        "ScaleByTraffic",
        "applicationautoscaling:putScalingPolicy",
        {
            **variant,
            **scaling_policy(specification),
        },
    )
    return {
        "RegisterScaling": register | {"Next": "ScaleByTraffic"},
        "ScaleByTraffic": track | {"Next": "MarkProduction"},
        **states,
    }


def _marking(release: Release) -> dict[str, State]:
    tasks, keeps = release.tasks, bool(release.strategy.retention)
    mark = tasks.step(
        "MarkProduction",
        "mark",
        {"package_arn.$": "$.plan.package_arn", "plan.$": "$.plan"},
        answers=("former",),
        into="$.production",
    )
    clean = tasks.step("CleanUp", "clean_up", {"kept_versions": release.strategy.kept_versions}, answers=(), into="")
    then = "IsBlueKept" if keeps else "Conclude"
    conclude = tasks.step(
        "Conclude",
        "conclude",
        {
            "as": "Released",
            "decision": "it serves all traffic",
            "percent": 100.0,
            "goes_on.$": "$.goes_on",
            "plan.$": "$.plan",
        },
        answers=(),
        into="",
    )
    notify = "NotifyReleased" if release.topic_arn else "IsReleaseOver"
    return {
        **report_state(release, "Report", "released", then=notify),
        "MarkProduction": mark | {"Next": "CleanUp"},
        # What is left over costs nothing and is taken by the next release.
        "CleanUp": caught_as(clean, "$.stumbles.CleanUp", then) | {"Next": then},
        "Conclude": conclude | {"Next": "Report" if release.report_arn else notify},
        "IsReleaseOver": choice(("$.goes_on", True, "BeginAgain"), default="Released"),
    }
