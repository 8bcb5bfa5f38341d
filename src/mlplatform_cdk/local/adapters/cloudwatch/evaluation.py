"""The state of one alarm, of its last whole periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
AWS may look a few periods further back where data are missing; here the periods of the alarm are all.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudwatch.arithmetic import Series, Unevaluated
from mlplatform_cdk.local.adapters.cloudwatch.queries import DEFAULT_PERIOD, Asked, Query
from mlplatform_cdk.local.adapters.cloudwatch.statistics import UnknownStatistic
from mlplatform_cdk.local.adapters.cloudwatch.store import Metric, floor, real_period

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.cloudwatch.models import Alarm, MetricDataQuery

INSUFFICIENT = "INSUFFICIENT_DATA"
_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_ENOUGH = 10  # values beyond a percentile, for EvaluateLowSampleCountPercentile


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an alarm should be.

    :param state: ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``; None: what it is.
    :param reason: a sentence.
    :param data: the datapoints that decided.
    """

    state: str | None
    reason: str
    data: dict[str, Any] = field(default_factory=dict)


def period_end(alarm: Alarm, now: float) -> float:
    """When the alarm's last whole period ended."""
    return floor(now, real_period(_period(queries_of(alarm))))


def judge(alarm: Alarm, end: float) -> Judgement:
    """The alarm's state by its periods up to ``end``.

    :param alarm: a metric alarm.
    :param end: the end of its last period, in seconds since 1970.
    """
    queries = queries_of(alarm)
    period, count = real_period(_period(queries)), int(alarm.evaluation_periods)
    asked = Asked(queries, end - count * period, end)
    try:
        series = asked.series(_watched(alarm, queries))
        too_few = _has_too_few(alarm, queries[0], asked)
    except (Unevaluated, UnknownStatistic) as error:
        return Judgement(state=INSUFFICIENT, reason=f"Not evaluated: {error}")
    if too_few:
        return Judgement(state=None, reason="too few values for a percentile")
    return _decided(alarm, [end - back * period for back in range(count, 0, -1)], series)


def queries_of(alarm: Alarm) -> list[Query]:
    """The alarm's metric, or its metrics and expressions."""
    account, region = alarm.alarm_arn.split(":")[4], alarm.region_name
    if alarm.metric_data_queries:
        return [_query(one, account, region) for one in alarm.metric_data_queries]
    dimensions = [{"Name": one.name, "Value": one.value} for one in alarm.dimensions]
    metric = Metric.of(account, region, alarm.namespace, alarm.metric_name, dimensions)
    statistic = alarm.statistic or alarm.extended_statistic or "Average"
    return [Query(id="m1", metric=metric, statistic=statistic, period=float(alarm.period or DEFAULT_PERIOD))]


def _query(one: MetricDataQuery, account: str, region: str) -> Query:
    plain: dict[str, Any] = {"id": one.id, "label": one.label or "", "returned": _is_returned(one)}
    if one.metric_stat is None:
        period = float(one.period) if one.period else None
        return Query(expression=one.expression or "", period=period, **plain)
    given = one.metric_stat
    dimensions = [{"Name": pair.name, "Value": pair.value} for pair in given.metric.dimensions]
    metric = Metric.of(account, region, given.metric.namespace, given.metric.metric_name, dimensions)
    return Query(metric=metric, statistic=given.stat, period=float(given.period), **plain)


def _is_returned(one: MetricDataQuery) -> bool:
    return str(one.return_data).lower() not in ("false", "0")


def _watched(alarm: Alarm, queries: list[Query]) -> Query:
    """The time series that the threshold is about."""
    if alarm.comparison_operator not in _COMPARISONS or alarm.threshold_metric_id:
        raise Unevaluated("the embedded AWS does not evaluate alarms on anomalies")
    returned = [one for one in queries if one.returned]
    if len(returned) != 1:
        raise Unevaluated(f"an alarm must return one time series, got {len(returned)}")
    return returned[0]


def _period(queries: list[Query]) -> float:
    return max((one.period or 0 for one in queries), default=0) or DEFAULT_PERIOD


def _decided(alarm: Alarm, moments: list[float], series: Series) -> Judgement:
    compare, words = _COMPARISONS[alarm.comparison_operator]
    threshold, needed = float(alarm.threshold), int(alarm.datapoints_to_alarm or len(moments))
    missing = alarm.treat_missing_data or "missing"
    seen = [series.get(at) for at in moments]
    known = [value for value in seen if value is not None]
    breaching = sum(compare(value, threshold) for value in known)
    if missing == "breaching":
        breaching += len(seen) - len(known)
    data = {
        "version": "1.0",
        "period": alarm.period,
        "recentDatapoints": known,
        "threshold": threshold,
        "evaluatedDatapoints": [
            {"timestamp": _written(at), "value": value}
            for at, value in zip(moments, seen, strict=True)
            if value is not None
        ],
    }
    if not known and missing in ("missing", "ignore"):
        state = None if missing == "ignore" else INSUFFICIENT
        return Judgement(state=state, reason=f"Insufficient Data: {len(seen)} datapoints were unknown.", data=data)
    state = "ALARM" if breaching >= needed else "OK"
    shown = ", ".join(f"{value:g}" for value in known) or f"none, which counts as {missing}"
    met = f"{breaching} out of the last {len(seen)} datapoints [{shown}] {_were(breaching)} {words}"
    least = f"minimum {needed} {_datapoints(needed)} for ALARM"
    reason = f"Threshold Crossed: {met} the threshold ({threshold:g}) ({least})."
    return Judgement(state=state, reason=reason, data=data)


def _has_too_few(alarm: Alarm, query: Query, asked: Asked) -> bool:
    """Whether the alarm ignores percentiles of few values, and has few: fewer than ten beyond the percentile."""
    if alarm.evaluate_low_sample_count_percentile != "ignore" or query.metric is None or query.statistic[:1] != "p":
        return False
    share = float(query.statistic[1:]) / 100
    counted = Query(id="n", metric=query.metric, statistic="SampleCount", period=query.period)
    values = Asked([counted], asked.start, asked.end).series(counted).values()
    return min(values, default=0) * min(share, 1 - share) < _ENOUGH


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _datapoints(count: int) -> str:
    return "datapoint" if count == 1 else "datapoints"


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
