"""Metrics in the log, which CloudWatch turns into metrics of one-second resolution: the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Distributions are ``Values`` with ``Counts``, as PutMetricData takes them and OpenTelemetry's collector writes them:
a line stays small, however many requests a second brings, and percentiles can be had of it.

A container of many models is one value of the only dimension: CloudWatch charges each metric once for each value of its
dimensions, here ten for each of what may be thousands of models, and SageMaker has none by model either
(https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-cloudwatch-metrics.html). What each of them was
asked stands in a short line of its own, which is no metric: for Logs Insights, by ``ServedModel`` and ``run_id``.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container.metrics import SECONDS, SIZES, STAGES, STATUSES, Metrics

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.model import Model

_Counted = tuple[float, dict[str, list[float]] | None]  # answers, and all counters once there were any
_NAMES = {"queue": "QueueLatency", "decode": "DecodeLatency", "infer": "InferLatency", "encode": "EncodeLatency"}
_MOST_VALUES = 100  # of one metric in one line: the format's bound
_BAD_REQUEST, _TOO_MANY, _SERVER_ERROR = 400, 429, 500


class Emf:
    """Writes one line for each second that had traffic.

    :param metrics: what is counted.
    :param namespace: of CloudWatch.
    :param model: the metrics' only dimension.
    :param run_id: a field of the line, to search the log by.
    :param output: default: standard output.
    :param clock: seconds since 1970; default: the system's.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        namespace: str,
        model: str,
        run_id: str | None = None,
        output: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._metrics, self._output, self._clock = metrics, output, clock
        self._fixed = {"Model": model} | ({"run_id": run_id} if run_id else {})
        self._namespace = namespace
        self._before = metrics.totals()
        self._before_by_model: dict[Model, _Counted] = {}

    def tick(self) -> None:
        """Write what was counted since the last call, if anything was."""
        totals = self._metrics.totals()
        before, self._before = self._before, totals
        values = values_of(_since(before, totals))
        if values:
            values |= {"RequestsUnderWay": totals["gauges"][1]}
            self._write(self._line(values))
        self._tell_models()

    def _tell_models(self) -> None:
        """Write a line for each of many models that was asked; the others cost a look at their number of answers."""
        before, self._before_by_model = self._before_by_model, {}
        for model, metrics in self._metrics.models.items():
            answered, (told_before, totals) = metrics.answered, before.get(model, (0.0, None))
            if answered != told_before:
                now = metrics.totals()
                counted, totals = _since(totals, now), now
                told: dict[str, Any] = {"ServedModel": model.manifest.model_name, "run_id": model.manifest.run_id}
                told |= {"Timestamp": int(self._clock() * 1000), **counts_of(counted)}
                told |= {f"{_NAMES[stage]}Mean": _mean(counted[stage]) for stage in STAGES}
                self._write(orjson.dumps(told).decode())
            self._before_by_model[model] = (answered, totals)

    def _write(self, line: str) -> None:
        write = self._output.write if self._output else logs.write
        write(line + "\n")

    def _line(self, values: dict[str, Any]) -> str:
        metrics = [{"Name": name, "Unit": _unit(name), "StorageResolution": 1} for name in values]
        directive = {"Namespace": self._namespace, "Dimensions": [["Model"]], "Metrics": metrics}
        head = {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": [directive]}
        return orjson.dumps({"_aws": head, **self._fixed, **values}).decode()


def values_of(counted: dict[str, Sequence[float]]) -> dict[str, Any]:
    """The metrics of one interval; none where nothing was answered.

    :param counted: how much ``Metrics.totals`` has grown.
    """
    values: dict[str, Any] = dict(counts_of(counted))
    if not values:
        return {}
    for stage in STAGES:
        values |= _distribution(_NAMES[stage], counted[stage], SECONDS, 1000.0)
    return values | _distribution("BatchSize", counted["batch"], SIZES, 1.0)


def counts_of(counted: dict[str, Sequence[float]]) -> dict[str, float]:
    """How many predictions were answered, and how many of them badly; none where none was. Pings and scrapes are none.

    :param counted: as for ``values_of``.
    """
    statuses = dict(zip((*STATUSES, 0), counted["statuses"], strict=True))
    requests = sum(statuses.values())
    if not requests:
        return {}
    return {
        "Requests": requests,
        "Errors4XX": sum(n for status, n in statuses.items() if _BAD_REQUEST <= status < _SERVER_ERROR),
        "Errors5XX": sum(n for status, n in statuses.items() if status >= _SERVER_ERROR),
        "Throttles": statuses[_TOO_MANY],
    }


def _distribution(name: str, cells: Sequence[float], bounds: tuple[float, ...], scale: float) -> dict[str, Any]:
    """The filled buckets of a histogram, each by the middle of its bounds: the geometric one, as the buckets are."""
    *counts, total = cells
    edges = [0.0, *bounds, 2 * bounds[-1]]
    filled = [(place, count) for place, count in enumerate(counts) if count]
    if not filled:
        return {}
    whole = bounds == SIZES  # a batch of 2 is 2, not 1.5
    values = [edges[place + 1] if whole else _middle(edges[place], edges[place + 1]) for place, _ in filled]
    pairs = list(zip(values, (count for _, count in filled), strict=True))
    while len(pairs) > _MOST_VALUES:
        pairs = [_together(pairs[place : place + 2]) for place in range(0, len(pairs), 2)]
    told = {
        "Values": [round(value * scale, 6) for value, _ in pairs],
        "Counts": [count for _, count in pairs],
        "Min": round(edges[filled[0][0]] * scale, 6),
        "Max": round(edges[filled[-1][0] + 1] * scale, 6),
        "Count": sum(counts),
        "Sum": round(total * scale, 6),
    }
    return {name: told}


def _middle(low: float, high: float) -> float:
    return math.sqrt(low * high) if low else high / 2


def _together(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Neighbouring values with their counts, as one value in their mean."""
    count = sum(one for _, one in pairs)
    return sum(value * one for value, one in pairs) / count, count


def _mean(cells: Sequence[float]) -> float:
    """Milliseconds in the mean of a stage; 0 where nothing was measured."""
    *counts, seconds = cells
    return round(1000 * seconds / (sum(counts) or 1), 6)


def _since(before: dict[str, list[float]] | None, now: dict[str, list[float]]) -> dict[str, Sequence[float]]:
    """How much the counters have grown; ``None``: since they began."""
    if before is None:
        return dict(now)
    return {name: [one - other for one, other in zip(cells, before[name], strict=True)] for name, cells in now.items()}


def _unit(name: str) -> str:
    return "Milliseconds" if name.endswith("Latency") else "Count"
