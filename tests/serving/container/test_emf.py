"""Which metrics does a second of traffic leave in the log?"""

import io
import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from mlplatform_cdk.serving.container.emf import Emf
from mlplatform_cdk.serving.container.metrics import Metrics
from tests.serving.container.standins import Model


def traffic(metrics: Metrics) -> None:
    for _ in range(1000):
        metrics.queue.add(0.00002)
    metrics.infer.add(0.0003)
    metrics.batch.add(8)
    metrics.count(200, 998)
    metrics.count(429)
    metrics.count(500)


@pytest.fixture
def line() -> dict[str, Any]:
    metrics, output = Metrics(), io.StringIO()
    traffic(metrics)  # before: none of this second's business
    emf = Emf(metrics, namespace="Churn", model="churn", run_id="r-1", output=output, clock=lambda: 1700000000.5)
    traffic(metrics)
    emf.tick()
    emf.tick()  # nothing came
    (text,) = output.getvalue().splitlines()
    return json.loads(text)  # type: ignore[no-any-return]


def test_a_line_follows_the_embedded_metric_format_at_one_second(line: dict[str, Any]) -> None:
    head = line["_aws"]
    (directive,) = head["CloudWatchMetrics"]

    assert head["Timestamp"] == 1700000000500
    assert (directive["Namespace"], directive["Dimensions"]) == ("Churn", [["Model"]])
    assert (line["Model"], line["run_id"]) == ("churn", "r-1")
    assert {metric["StorageResolution"] for metric in directive["Metrics"]} == {1}
    assert {metric["Unit"] for metric in directive["Metrics"]} == {"Count", "Milliseconds"}
    assert len(directive["Metrics"]) <= 100
    for metric in directive["Metrics"]:
        assert re.fullmatch(r"[A-Za-z0-9]+", metric["Name"])
        value = line[metric["Name"]]
        assert isinstance(value, int | float) or len(value["Values"]) == len(value["Counts"])


def test_what_happened_is_counted_since_the_line_before(line: dict[str, Any]) -> None:
    assert {name: line[name] for name in ("Requests", "Errors4XX", "Errors5XX", "Throttles")} == {
        "Requests": 1000,
        "Errors4XX": 1,
        "Errors5XX": 1,
        "Throttles": 1,
    }


def test_a_distribution_has_values_with_counts_and_true_sums(line: dict[str, Any]) -> None:
    queue, batch = line["QueueLatency"], line["BatchSize"]

    assert sum(queue["Counts"]) == queue["Count"] == 1000
    assert queue["Sum"] == pytest.approx(20)  # milliseconds
    assert queue["Min"] <= 0.02 <= queue["Max"]
    assert (batch["Values"], batch["Counts"], batch["Sum"]) == ([8], [1], 8)
    assert "DecodeLatency" not in line  # nothing was measured


def told(values: Sequence[float], name: str = "InferLatency") -> dict[str, Any]:
    metrics, output = Metrics(), io.StringIO()
    emf = Emf(metrics, namespace="Churn", model="churn", output=output)
    for value in values:
        metrics.infer.add(value)
    metrics.count(200, len(values))
    emf.tick()
    return json.loads(output.getvalue())[name]  # type: ignore[no-any-return]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_percentile_is_off_by_less_than_a_twentieth(share: float) -> None:
    chance = random.Random(1)
    values = sorted(chance.lognormvariate(-5, 1) for _ in range(5000))

    found = told(values)
    place, seen = -1, 0.0
    while seen <= share * len(values):
        place += 1
        seen += found["Counts"][place]

    assert found["Values"][place] / 1000 == pytest.approx(values[int(share * len(values))], rel=0.05)


def test_a_distribution_has_no_more_values_than_the_format_allows() -> None:
    found = told([1e-5 * 2 ** (step / 20) for step in range(400)])

    assert len(found["Values"]) == len(found["Counts"]) <= 100
    assert found["Values"] == sorted(found["Values"])
    assert sum(found["Counts"]) == found["Count"] == 400


def test_each_of_many_models_that_was_asked_has_a_line_which_is_no_metric() -> None:
    metrics, output = Metrics(), io.StringIO()
    emf = Emf(metrics, namespace="Shop", model="models", output=output, clock=lambda: 1700000000.5)
    first, second, idle = Model(), Model(), Model()
    metrics.of(idle)  # type: ignore[arg-type]
    for model, status in ((first, 200), (second, 500), (first, 200)):
        own = metrics.of(model)  # type: ignore[arg-type]
        own.infer.add(0.003)
        own.count(status)
        emf.tick()
    metrics.drop(first)  # type: ignore[arg-type]
    emf.tick()

    lines = [json.loads(line) for line in output.getvalue().splitlines()]

    assert [one["Requests"] for one in lines if "_aws" in one] == [1, 1, 1]
    assert {one["Model"] for one in lines if "_aws" in one} == {"models"}
    told = [one for one in lines if "_aws" not in one]
    assert [(one["Requests"], one["Errors5XX"], one["InferLatencyMean"]) for one in told] == [
        (1, 0, 3),
        (1, 1, 3),
        (1, 0, 3),
    ]
    assert {(one["ServedModel"], one["run_id"], one["Timestamp"]) for one in told} == {
        ("stand-in", "run-1", 1700000000500)
    }


def test_seconds_of_pings_alone_leave_no_line() -> None:
    metrics, output = Metrics(), io.StringIO()
    emf = Emf(metrics, namespace="Churn", model="churn", output=output)

    metrics.count_other(200)
    metrics.count_other(503)
    emf.tick()

    assert output.getvalue() == ""
