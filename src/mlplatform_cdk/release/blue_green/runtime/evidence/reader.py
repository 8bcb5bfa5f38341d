"""Reads what CloudWatch knows of an endpoint's variants, all of it in one GetMetricData call, and which alarms ring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.windows import Period, Window
from mlplatform_cdk.runtimekit import aws

PERIOD_S = 60  # SageMaker's own; the newest minute is there, too, as far as it has come
LONGEST = timedelta(hours=12)  # half of what one answer may hold of two variants, minute by minute
_REQUESTS, _MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
_MICROSECONDS = 1000
_ALARMS_A_CALL = 100
_COUNTS = {
    "requests": ("Invocations", "Sum"),
    "client_errors": ("Invocation4XXErrors", "Sum"),
    "server_errors": ("Invocation5XXErrors", "Sum"),
    "model_errors": ("InvocationModelErrors", "Sum"),
    "timed": ("ModelLatency", "SampleCount"),
    "p50": ("ModelLatency", "p50"),
    "p99": ("ModelLatency", "p99"),
}
_BUSY = {
    "cpu": "CPUUtilization",
    "gpu": "GPUUtilization",
    "gpu_memory": "GPUMemoryUtilization",
    "memory": "MemoryUtilization",
}
Series = Mapping[str, Mapping[float, float]]  # by what was asked, by the period's beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the percentages of a variant's instances are of: SageMaker gives 100 for each core and each GPU.

    :param cores: virtual processors of an instance; default: 1.
    :param gpus: GPUs of an instance; default: 1.
    """

    cores: int = 1
    gpus: int = 1


_ONE = Machine()


def read_windows(
    endpoint: str,
    variants: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    ladder_ms: Sequence[float],
    machine: Machine = _ONE,
    period_s: int = PERIOD_S,
) -> dict[str, Window]:
    """What the variants did from ``since`` to ``until``.

    CloudWatch begins with the whole minute in which ``since`` lies; a period that began before ``since`` is left out,
    with the tests and the traffic of another step that it may hold. What is older than twelve hours is left out, too.

    :param endpoint: the endpoint's name.
    :param variants: the variants' names.
    :param since: with a time zone.
    :param until: with a time zone.
    :param ladder_ms: see ``judge.rungs``.
    :param machine: the variants' instances; default: one core and one GPU.
    :param period_s: seconds of a period; default: 60.
    """
    since = max(since, until - LONGEST)
    queries = [
        query for place, name in enumerate(variants) for query in _queries(place, endpoint, name, ladder_ms, period_s)
    ]
    pages = aws.client("cloudwatch").get_paginator("get_metric_data")
    series: dict[str, dict[float, float]] = {}
    for page in pages.paginate(MetricDataQueries=queries, StartTime=since, EndTime=until, ScanBy="TimestampAscending"):
        for result in page["MetricDataResults"]:
            moments = (moment.timestamp() for moment in result["Timestamps"])
            series.setdefault(result["Id"], {}).update(zip(moments, result["Values"], strict=True))
    kept = {
        name: {at: value for at, value in values.items() if at >= since.timestamp()} for name, values in series.items()
    }
    return {name: _window(kept, f"v{place}_", ladder_ms, machine) for place, name in enumerate(variants)}


def alarms_in_alarm(names: Sequence[str]) -> list[str]:
    """Those of the alarms ``names``, metric and composite ones, that are in alarm now, in the order of the names."""
    ringing: set[str] = set()
    for first in range(0, len(names), _ALARMS_A_CALL):
        answer = aws.client("cloudwatch").describe_alarms(
            AlarmNames=[*names[first : first + _ALARMS_A_CALL]],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
            MaxRecords=_ALARMS_A_CALL,
        )
        found = (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
        ringing |= {one["AlarmName"] for one in found if one["StateValue"] == "ALARM"}
    return [name for name in names if name in ringing]


def _queries(
    place: int, endpoint: str, variant: str, ladder_ms: Sequence[float], period_s: int
) -> Iterable[dict[str, Any]]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]

    def query(name: str, namespace: str, metric: str, statistic: str) -> dict[str, Any]:
        asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
        return {"Id": f"v{place}_{name}", "MetricStat": {"Metric": asked, "Period": period_s, "Stat": statistic}}

    for name, (metric, statistic) in _COUNTS.items():
        yield query(name, _REQUESTS, metric, statistic)
    for rung, latency in enumerate(ladder_ms):
        # The share of values up to this one; percentile ranks work wherever percentiles do:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
        yield query(f"rung{rung}", _REQUESTS, "ModelLatency", f"PR(:{round(latency * _MICROSECONDS)})")
    for name, metric in _BUSY.items():
        yield query(name, _MACHINES, metric, "Average")


def _window(series: Series, prefix: str, ladder_ms: Sequence[float], machine: Machine) -> Window:
    def of(name: str) -> Mapping[float, float]:
        return series.get(prefix + name, {})

    def busy(name: str, parts: int = 1) -> tuple[float, ...]:
        return tuple(value / parts for _, value in sorted(of(name).items()))

    moments = sorted({at for name in _COUNTS for at in of(name)})
    return Window(
        periods=tuple(
            _period(at, {name: of(name).get(at) for name in _COUNTS}, _ranks(of, ladder_ms, at)) for at in moments
        ),
        ladder_ms=tuple(ladder_ms),
        cpu_percent=busy("cpu", machine.cores),
        gpu_percent=busy("gpu", machine.gpus),
        gpu_memory_percent=busy("gpu_memory", machine.gpus),
        memory_percent=busy("memory"),
    )


def _ranks(of: Any, ladder_ms: Sequence[float], at: float) -> list[float]:
    """The share of requests up to each rung, in percent; none where one is missing."""
    found = [of(f"rung{rung}").get(at) for rung in range(len(ladder_ms))]
    return [] if None in found else found


def _period(at: float, counted: Mapping[str, float | None], ranks: Sequence[float]) -> Period:
    """One period; what the model refused is part of its errors by SageMaker's count, and no failure of it."""
    requests, refusals, server, model, timed = (
        int(counted[name] or 0) for name in ("requests", "client_errors", "server_errors", "model_errors", "timed")
    )
    return Period(
        at=at,
        requests=requests,
        failures=max(server, model - refusals, 0),
        refusals=refusals,
        timed=timed,
        slower=tuple(round(timed * (1 - min(rank, 100.0) / 100)) for rank in ranks),
        p50_ms=_milliseconds(counted["p50"]),
        p99_ms=_milliseconds(counted["p99"]),
    )


def _milliseconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / _MICROSECONDS
