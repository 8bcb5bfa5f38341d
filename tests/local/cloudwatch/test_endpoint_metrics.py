"""What is measured of a request, and of the processes that answer it?"""

from __future__ import annotations

import os
import time
import uuid
from types import SimpleNamespace

import pytest

from mlplatform_cdk.local.adapters.cloudwatch.statistics import Summary
from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, Metric
from mlplatform_cdk.local.adapters.endpoints import metrics

HOUR_S = 3600


@pytest.fixture
def key() -> metrics.Key:
    """A variant that no other test measures."""
    return "123456789012", "us-east-1", "churn", uuid.uuid4().hex


def all_of(key: metrics.Key, namespace: str, name: str) -> Summary:
    account, region, endpoint, variant = key
    metric = Metric(account, region, namespace, name, (("EndpointName", endpoint), ("VariantName", variant)))
    now = time.time()
    (summary,) = STORE.summaries(metric, now - HOUR_S, now + HOUR_S, 3 * HOUR_S).values()
    return summary


def test_each_request_is_a_datapoint_with_its_latency_and_its_fate(key: metrics.Key) -> None:
    measured = metrics.Metrics()
    for status, latency in ((200, 1000.0), (200, 3000.0), (400, 500.0), (503, None), (500, 9000.0)):
        measured.count(key, status, latency, 50.0)

    def total(name: str) -> float | None:
        return all_of(key, metrics.REQUESTS, name).of("Sum")

    assert total("Invocations") == 5
    assert (total("Invocation4XXErrors"), total("Invocation5XXErrors"), total("InvocationModelErrors")) == (1, 2, 3)
    latencies = all_of(key, metrics.REQUESTS, "ModelLatency")
    assert (latencies.of("SampleCount"), latencies.of("p50"), latencies.of("PR(:1000)")) == (4, 1000, 50)


def test_a_servers_load_is_that_of_its_processes(key: metrics.Key, monkeypatch: pytest.MonkeyPatch) -> None:
    here = SimpleNamespace(server=SimpleNamespace(pid=os.getpid()))
    monkeypatch.setattr(
        metrics, "_variants", lambda: [(key, here), (key, SimpleNamespace(server=SimpleNamespace(pid=None)))]
    )
    measured = metrics.Metrics()
    measured._measure()
    busy_until = time.process_time() + 0.2
    while time.process_time() < busy_until:
        pass
    measured._measure()

    cpu, memory = (all_of(key, metrics.MACHINES, name) for name in ("CPUUtilization", "MemoryUtilization"))

    assert cpu.of("SampleCount") == memory.of("SampleCount") == 2
    assert (cpu.of("Maximum") or 0) > 0
    assert 0 < (memory.of("Average") or 0) < 100
