"""PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics on the embedded AWS's own store of measurements."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from mlplatform_cdk.local.adapters.cloudwatch.arithmetic import Unevaluated
from mlplatform_cdk.local.adapters.cloudwatch.queries import Asked, Query
from mlplatform_cdk.local.adapters.cloudwatch.statistics import UnknownStatistic
from mlplatform_cdk.local.adapters.cloudwatch.store import (
    STORE,
    Metric,
    floor,
    moment_of,
    real_period,
    seconds_of,
)

if TYPE_CHECKING:
    from datetime import datetime


def install() -> None:
    """Put the store behind the operations on metrics."""
    CloudWatchBackend.get_all_metrics = _listed
    CloudWatchBackend.put_metric_data = _put
    CloudWatchBackend.get_metric_data = _get
    CloudWatchResponse.get_metric_statistics = _statistics


def _listed(self: CloudWatchBackend) -> list[MetricDatumBase]:
    """Each metric once, which is what ListMetrics needs."""
    own = [
        MetricDatumBase(
            one.namespace, one.name, [{"Name": name, "Value": value} for name, value in one.dimensions], None
        )
        for one in STORE.metrics(self.account_id, self.region_name)
    ]
    return own + self.aws_metric_data


def _put(self: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
    """Keep the values, which moto checks."""
    for place, datum in enumerate(metric_data):
        self._validate_parameters_put_metric_data(datum, place + 1)
    for datum in metric_data:
        metric = Metric.of(
            self.account_id, self.region_name, namespace, datum["MetricName"], datum.get("Dimensions") or ()
        )
        _keep(metric, datum)


def _keep(metric: Metric, datum: dict[str, Any]) -> None:
    moment: datetime | None = datum.get("Timestamp")
    at, unit = seconds_of(moment) if moment else None, datum.get("Unit") or "None"
    if datum.get("Values"):
        counts = datum.get("Counts") or [1.0] * len(datum["Values"])
        for value, count in zip(datum["Values"], counts, strict=True):
            STORE.add(metric, float(value), count=float(count), at=at, unit=unit)
    elif datum.get("StatisticValues"):
        given = datum["StatisticValues"]
        values = tuple(float(given[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        STORE.add_set(metric, (values[0], values[1], values[2], values[3]), at=at or time.time(), unit=unit)
    else:
        STORE.add(metric, float(datum.get("Value", 0)), at=at, unit=unit)


def _get(
    self: CloudWatchBackend,
    queries: list[dict[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    start, end = seconds_of(start_time), seconds_of(end_time)
    if start >= end:
        raise ValidationError("The parameter EndTime must be greater than StartTime.")
    read = [Query.of(self.account_id, self.region_name, one) for one in queries]
    asked = Asked(read, start, end)
    results = []
    for query in read:
        if not query.returned:
            continue
        try:
            found = sorted(asked.series(query).items(), reverse=scan_by == "TimestampDescending")
        except (Unevaluated, UnknownStatistic) as error:
            raise ValidationError(str(error)) from error
        label = query.label or (f"{query.metric.name} {query.statistic}" if query.metric else query.id)
        results.append(
            {
                "id": query.id,
                "label": label,
                "timestamps": [moment_of(at) for at, _ in found],
                "values": [value for _, value in found],
                "status_code": "Complete",
            }
        )
    return results


def _statistics(self: CloudWatchResponse) -> ActionResult:
    """GetMetricStatistics, extended statistics too; a metric is told by all of its dimensions, as in AWS."""
    plain, extended = self._get_param("Statistics", []), self._get_param("ExtendedStatistics", [])
    if not plain and not extended:
        raise InvalidParameterValue("Must specify either Statistics or ExtendedStatistics")
    start, end = seconds_of(self._get_param("StartTime")), seconds_of(self._get_param("EndTime"))
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    namespace, name = self._get_param("Namespace"), self._get_param("MetricName")
    metric = Metric.of(self.current_account, self.region, namespace, name, self._get_param("Dimensions", []))
    period = real_period(self._get_int_param("Period"))
    points = []
    for at, summary in STORE.summaries(metric, floor(start, period), end, period).items():
        try:
            point: dict[str, Any] = {one: summary.of(one) for one in plain}
            ranked = {one: summary.of(one) for one in extended}
        except UnknownStatistic as error:
            raise InvalidParameterValue(str(error)) from error
        known = {one: value for one, value in ranked.items() if value is not None}
        more = {"ExtendedStatistics": known} if known else {}
        points.append(point | more | {"Timestamp": moment_of(at), "Unit": STORE.unit(metric)})
    return ActionResult({"Label": name, "Datapoints": points})
