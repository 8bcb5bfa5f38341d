"""How long each thing may take on the day, computed from the plan and the alarms, so that the drill can be refuted.

The sums are those of docs/region-health.md, with the probe's promise, three intervals, in place of its usual case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import aws_cloudwatch as cloudwatch

from mlplatform_cdk.core import is_known
from mlplatform_cdk.resilience.chaos import Fault
from mlplatform_cdk.routing.plan import MultiRegionEndpoint

_DETECTED_WITHIN = 3  # probe intervals
_CHANGED_S = 5  # Route 53's answers, assumed
_ALIAS_S = 60  # the time to live of an alias record, which nobody can set
_EVALUATED_S = 60  # CloudWatch's own delay
_ALARM_S = 60  # the alarm behind the second health check
# A region that leaves twice within half an hour is held out for up to 53 minutes.
HELD = timedelta(minutes=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An alarm that a fault has to raise.

    :param alarm: which.
    :param name: how people call it.
    :param within_s: seconds from the experiment's start until it rings.
    """

    alarm: cloudwatch.IAlarm
    name: str
    within_s: int


def expected(fault: Fault, plan: MultiRegionEndpoint) -> Sequence[Expected]:
    """The alarms of a fault, with the seconds that each may take."""
    late = int((fault.bites_within + fault.rings_late_by).total_seconds()) + _EVALUATED_S
    detected = late + _DETECTED_WITHIN * plan.probe.interval_s
    return [Expected(alarm=alarm, name=name_of(alarm), within_s=detected + _watched_s(alarm)) for alarm in fault.rings]


def shifted_s(fault: Fault, plan: MultiRegionEndpoint) -> int:
    """Seconds from an experiment's start until the last resolver that keeps to it leads callers elsewhere."""
    asked = plan.checks.interval_s * plan.checks.failures
    detected = int(fault.bites_within.total_seconds()) + _DETECTED_WITHIN * plan.probe.interval_s
    return detected + asked + _CHANGED_S + _ALIAS_S


def back_s(plan: MultiRegionEndpoint) -> int:
    """Seconds from the end of the fault until callers are led here again, for a region that is not held."""
    return plan.probe.healthy_after * plan.probe.interval_s + plan.checks.interval_s + _ALARM_S + _CHANGED_S + _ALIAS_S


def name_of(alarm: cloudwatch.IAlarm) -> str:
    """What people call an alarm; where CloudFormation names it, its place in the app."""
    own = _resource(alarm)
    names = [own.alarm_name] if own is not None else [alarm.alarm_name]
    return next((name for name in names if name and is_known(name)), alarm.node.path)


def _watched_s(alarm: cloudwatch.IAlarm) -> int:
    """Seconds that an alarm looks back: those of its periods; a minute where another stack made it."""
    own = _resource(alarm)
    if own is None or own.evaluation_periods is None:
        return _ALARM_S
    return int((own.period or _ALARM_S) * own.evaluation_periods)


def _resource(alarm: cloudwatch.IAlarm) -> cloudwatch.CfnAlarm | None:
    child = alarm.node.default_child
    return child if isinstance(child, cloudwatch.CfnAlarm) else None
