"""CloudWatch metrics of endpoints, as SageMaker puts them: counted in memory, put once a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from moto.cloudwatch.models import cloudwatch_backends

PUT_SECONDS = 1.0
CLIENT_ERRORS = range(400, 500)
SERVER_ERRORS = 500
Key = tuple[str, str, str, str]  # account, region, endpoint, variant


@dataclass(slots=True)
class _Tally:
    """What one variant did since the last put."""

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model_latencies: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)


class Metrics:
    """Counts invocations; a thread that lives as long as there is something to put carries them to CloudWatch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[Key, _Tally] = {}
        self._thread: threading.Thread | None = None

    def count(self, key: Key, status: int, model_microseconds: float | None, overhead_microseconds: float) -> None:
        """Count one invocation.

        :param key: account, region, endpoint and variant.
        :param status: what the container answered, or 5xx in its place.
        :param model_microseconds: how long the container took; None when it did not answer.
        :param overhead_microseconds: how long everything else took.
        """
        with self._lock:
            tally = self._tallies.setdefault(key, _Tally())
            tally.invocations += 1
            tally.client_errors += status in CLIENT_ERRORS
            tally.server_errors += status >= SERVER_ERRORS
            if model_microseconds is not None:
                tally.model_latencies.append(model_microseconds)
            tally.overheads.append(overhead_microseconds)
            if self._thread is None:
                self._thread = threading.Thread(target=self._put_on, name="endpoint-metrics", daemon=True)
                self._thread.start()

    def _put_on(self) -> None:
        while True:
            time.sleep(PUT_SECONDS)
            with self._lock:
                tallies, self._tallies = self._tallies, {}
            for key, tally in tallies.items():
                _put(key, tally)


def _put(key: Key, tally: _Tally) -> None:
    account, region, endpoint, variant = key
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    count = float(tally.invocations)
    counted = {
        "Invocations": count,
        "Invocation4XXErrors": float(tally.client_errors),
        "Invocation5XXErrors": float(tally.server_errors),
    }
    data: list[dict[str, object]] = [
        {
            "MetricName": name,
            "Unit": "None",
            "Dimensions": dimensions,
            "StatisticValues": {
                "Sum": total,
                "SampleCount": count,
                "Minimum": float(total == count),
                "Maximum": float(total > 0),
            },
        }
        for name, total in counted.items()
    ]
    for name, values in (("ModelLatency", tally.model_latencies), ("OverheadLatency", tally.overheads)):
        if values:
            spread = {"Sum": sum(values), "SampleCount": len(values), "Minimum": min(values), "Maximum": max(values)}
            data.append(
                {"MetricName": name, "Unit": "Microseconds", "Dimensions": dimensions, "StatisticValues": spread}
            )
    cloudwatch_backends[account][region].put_metric_data("AWS/SageMaker", data)
