"""What was measured of green and blue over time: from CloudWatch, and where that has nothing, from the records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mlplatform_cdk.release.report.runtime.story import Story
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.release_records import Record

SIDES = ("green", "blue")
_MINUTE = 60
_MOST_POINTS = 180  # of a line: more are not seen
_NAMESPACE = "AWS/SageMaker"
_ASKED = {
    "requests": ("Invocations", "Sum"),
    "server": ("Invocation5XXErrors", "Sum"),
    "model": ("InvocationModelErrors", "Sum"),
    "refused": ("Invocation4XXErrors", "Sum"),
    "p50": ("ModelLatency", "p50"),
    "p99": ("ModelLatency", "p99"),
}
_MICROSECONDS = 1000
Points = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One quantity of both sides over time.

    :param title: what it is.
    :param unit: of its values.
    :param green: of green.
    :param blue: of blue.
    """

    title: str
    unit: str
    green: Points = field(default_factory=list)
    blue: Points = field(default_factory=list)

    def side(self, name: str) -> Points:
        """Green's or blue's."""
        return self.green if name == "green" else self.blue


def period_of(length: timedelta) -> int:
    """Whole minutes, in seconds, that cut ``length`` into so many points that a line shows them all."""
    return max(_MINUTE, -(-int(length.total_seconds()) // (_MOST_POINTS * _MINUTE)) * _MINUTE)


def lines(told: Story, variants: Mapping[str, str]) -> list[Line]:
    """The latency, the errors and the requests of both sides.

    :param told: the release.
    :param variants: the names of green's and of blue's variant; a side that is missing is not asked for.
    """
    series = _series(told, variants) if variants else {}
    found = {name: _of_side(series, name) for name in SIDES}
    if not any(found[name]["p99"] for name in SIDES):
        found = {name: _of_records(told.records, name) for name in SIDES}
    made = [
        Line(title="Latency, 99th percentile", unit="ms", green=found["green"]["p99"], blue=found["blue"]["p99"]),
        Line(title="Latency, median", unit="ms", green=found["green"]["p50"], blue=found["blue"]["p50"]),
        Line(title="Failed requests", unit="%", green=found["green"]["errors"], blue=found["blue"]["errors"]),
        Line(title="Requests", unit="", green=found["green"]["requests"], blue=found["blue"]["requests"]),
    ]
    return [one for one in made if one.green or one.blue]


def _series(told: Story, variants: Mapping[str, str]) -> dict[str, dict[datetime, float]]:
    period = period_of(told.end - told.start)
    queries = [query for side, name in variants.items() for query in _queries(told, side, name, period)]
    pages = aws.client("cloudwatch").get_paginator("get_metric_data")
    series: dict[str, dict[datetime, float]] = {}
    end = max(told.end, told.start + timedelta(seconds=1))  # CloudWatch takes no empty stretch of time
    for page in pages.paginate(MetricDataQueries=queries, StartTime=told.start, EndTime=end):
        for result in page["MetricDataResults"]:
            points = zip(result["Timestamps"], result["Values"], strict=True)
            series.setdefault(result["Id"], {}).update(points)
    return series


def _queries(told: Story, side: str, variant: str, period: int) -> Iterator[dict[str, Any]]:
    endpoint = told.records[0].endpoint
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    for name, (metric, statistic) in _ASKED.items():
        asked = {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
        yield {"Id": f"{side}_{name}", "MetricStat": {"Metric": asked, "Period": period, "Stat": statistic}}


def _of_side(series: Mapping[str, Mapping[datetime, float]], side: str) -> dict[str, Points]:
    def of(name: str) -> Mapping[datetime, float]:
        return series.get(f"{side}_{name}", {})

    requests = sorted(of("requests").items())
    # What the model refused is part of its errors by SageMaker's count, and no failure of it.
    server, model, refused = of("server"), of("model"), of("refused")
    failures = {at: max(server.get(at, 0), model.get(at, 0) - refused.get(at, 0)) for at, _ in requests}
    return {
        "requests": requests,
        "errors": [(at, 100 * failures[at] / count) for at, count in requests if count],
        **{name: [(at, value / _MICROSECONDS) for at, value in sorted(of(name).items())] for name in ("p50", "p99")},
    }


def _of_records(records: Sequence[Record], side: str) -> dict[str, Points]:
    names = {"p50": "latency_p50_ms", "p99": "latency_p99_ms", "errors": "error_share", "requests": "requests"}
    scale = {"errors": 100.0}
    known = [(one.moment, one.metrics[side]) for one in records if isinstance(one.metrics.get(side), Mapping)]
    return {
        name: [(at, values[key] * scale.get(name, 1)) for at, values in known if values.get(key) is not None]
        for name, key in names.items()
    }
