"""Alarms, dashboards and logs, and experiments that try them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.intrinsics import number
from mlplatform_cdk.assembly.cost.lines import Charge, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mlplatform_cdk.assembly.cost.resources import Resource

_ONE = Decimal(1)
_HIGH_RESOLUTION_S = 60  # a shorter period than this


def _alarm(alarm: Resource) -> Iterator[Charge | Unseen]:
    if alarm.get("ThresholdMetricId", default="") != "":
        yield Unseen("the price of an alarm on anomalies, whose band counts as metrics, too")
        return
    metrics = [metric for metric in alarm.mappings("Metrics") if "MetricStat" in metric]
    periods = [alarm.number("Period"), *(_period(metric) for metric in metrics)]
    shortest = min((period for period in periods if period is not None), default=Decimal(_HIGH_RESOLUTION_S))
    quick = shortest < _HIGH_RESOLUTION_S
    yield Charge(
        what="alarm" if len(metrics) < 2 else f"alarm on {len(metrics)} metrics",  # noqa: PLR2004 -- one is a plain alarm
        item="cloudwatch.high-resolution-alarm-month" if quick else "cloudwatch.alarm-month",
        quantity=Decimal(max(1, len(metrics))),
    )


def _period(metric: Mapping[str, Any]) -> Decimal | None:
    statistic = metric["MetricStat"]
    return number(statistic.get("Period")) if isinstance(statistic, dict) else None


def _composite(_: Resource) -> Iterator[Charge]:
    yield Charge(what="composite alarm", item="cloudwatch.composite-alarm-month", quantity=_ONE)


def _dashboard(_: Resource) -> Iterator[Charge]:
    yield Charge(what="dashboard", item="cloudwatch.dashboard-month", quantity=_ONE)


def _log_group(group: Resource) -> Iterator[Charge | Unseen]:
    # What a flow log delivers has a price of its own, which is told at the flow log.
    filled = {"Ref": group.logical_id} in [log.raw.get("LogGroupName") for log in group.neighbours("AWS::EC2::FlowLog")]
    log_class = group.get("LogGroupClass", default="STANDARD")
    if not filled and log_class != "STANDARD":
        yield Unseen(f"the price of lines written to logs of the class {log_class or 'that deployment decides'}")
    elif not filled:
        yield Charge(
            what="log lines written", item="logs.ingested-gb", quantity=group.use("log_gb"), per="GB of logs written"
        )
    yield Charge(
        what="log lines kept",
        item="logs.stored-gb-month",
        quantity=group.use("log_gb_kept"),
        per="GB and month of logs kept",
    )


def _experiment(template: Resource) -> Iterator[Charge]:
    actions = template.get("Actions", default={})
    count = Decimal(len(actions)) if isinstance(actions, dict) else None
    yield Charge(
        what="experiment of AWS FIS",
        item="fis.action-minute",
        quantity=None if count is None else template.use("experiment_minutes") * count,
        per="minute of an action of an experiment",
    )


PRICED = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::FIS::ExperimentTemplate": _experiment,
    "AWS::Logs::LogGroup": _log_group,
}
