"""What is asked of CloudWatch, and what is made of its answers?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from mlplatform_cdk.release.blue_green.runtime.evidence import Machine, alarms_in_alarm, read_windows
from mlplatform_cdk.runtimekit import aws

SINCE = datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=5)
BEFORE, FIRST, SECOND = (datetime(2026, 11, 22, 10, minute, tzinfo=UTC) for minute in (0, 1, 2))
GREEN = {
    "requests": 200.0,
    "client_errors": 10.0,
    "server_errors": 3.0,
    "model_errors": 15.0,
    "timed": 199.0,
    "p50": 20_000.0,
    "p99": 90_500.0,
    "rung0": 50.0,
    "rung1": 99.0,
    "cpu": 150.0,
    "memory": 40.0,
}


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A client that checks each question against the service's model, and answers what it was told."""
    client = boto3.client("cloudwatch", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(aws, "client", lambda service: {"cloudwatch": client}[service])
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(values: dict[str, float], *moments: datetime) -> list[dict[str, Any]]:
    return [
        {"Id": f"v0_{name}", "Timestamps": [*moments], "Values": [value for _ in moments]}
        for name, value in values.items()
    ]


def read(stubber: Stubber, *pages: list[dict[str, Any]]) -> Any:
    for place, results in enumerate(pages):
        last = place == len(pages) - 1
        stubber.add_response("get_metric_data", {"MetricDataResults": results} | ({} if last else {"NextToken": "t"}))
    return read_windows(
        "churn", ["b", "a"], SINCE, UNTIL, ladder_ms=(10.0, 100.0), machine=Machine(cores=2), period_s=60
    )


def test_both_variants_are_read_in_one_call(cloudwatch: Stubber) -> None:
    asked: list[Any] = []
    cloudwatch.client.meta.events.register("before-parameter-build.*.*", lambda params, **_: asked.append(params))

    windows = read(cloudwatch, answer(GREEN, FIRST))

    ((question,),) = (asked,)
    stats = {query["MetricStat"]["Stat"] for query in question["MetricDataQueries"]}
    variants = {query["MetricStat"]["Metric"]["Dimensions"][1]["Value"] for query in question["MetricDataQueries"]}
    assert (question["StartTime"], question["EndTime"]) == (SINCE, UNTIL)
    assert stats == {"Sum", "SampleCount", "p50", "p99", "PR(:10000)", "PR(:100000)", "Average"}
    assert variants == {"a", "b"}
    assert set(windows) == {"a", "b"}
    assert windows["a"].periods == ()


def test_counts_latencies_and_load_come_in_the_units_of_the_rules(cloudwatch: Stubber) -> None:
    green = read(cloudwatch, answer(GREEN, FIRST))["b"]

    (period,) = green.periods
    assert (period.at, period.requests, period.timed) == (FIRST.timestamp(), 200, 199)
    assert (period.p50_ms, period.p99_ms) == (20.0, 90.5)
    assert green.slower_than(10.0) == (100, 199)
    assert green.slower_than(100.0) == (2, 199)
    assert (green.cpu_percent, green.memory_percent, green.gpu_percent) == ((75.0,), (40.0,), ())


def test_what_the_model_refused_is_no_failure_and_what_it_never_answered_is_one(cloudwatch: Stubber) -> None:
    (period,) = read(cloudwatch, answer(GREEN, FIRST))["b"].periods

    assert (period.refusals, period.failures) == (10, 5)


def test_a_period_that_began_before_the_window_is_left_out(cloudwatch: Stubber) -> None:
    periods = read(cloudwatch, answer(GREEN, BEFORE, FIRST, SECOND))["b"].periods

    assert [one.at for one in periods] == [FIRST.timestamp(), SECOND.timestamp()]


def test_a_release_that_waited_for_a_person_is_not_read_from_its_beginning(cloudwatch: Stubber) -> None:
    expected = dict.fromkeys(("MetricDataQueries", "ScanBy"), ANY) | {
        "StartTime": UNTIL - timedelta(hours=12),
        "EndTime": UNTIL,
    }
    cloudwatch.add_response("get_metric_data", {"MetricDataResults": []}, expected)

    windows = read_windows("churn", ["b"], UNTIL - timedelta(days=3), UNTIL, ladder_ms=(10.0,))

    assert windows["b"].periods == ()


def test_an_answer_of_several_pages_is_read_to_its_end(cloudwatch: Stubber) -> None:
    periods = read(cloudwatch, answer(GREEN, FIRST), answer(GREEN, SECOND))["b"].periods

    assert len(periods) == 2


def test_a_period_without_percentiles_has_counts_and_no_latencies(cloudwatch: Stubber) -> None:
    (period,) = read(cloudwatch, answer({"requests": 4.0, "server_errors": 4.0}, FIRST))["b"].periods

    assert (period.requests, period.failures, period.timed, period.slower, period.p99_ms) == (4, 4, 0, (), None)


def test_alarms_of_both_kinds_are_found_and_their_order_kept(cloudwatch: Stubber) -> None:
    found = {
        "MetricAlarms": [{"AlarmName": "b", "StateValue": "ALARM"}, {"AlarmName": "quiet", "StateValue": "OK"}],
        "CompositeAlarms": [{"AlarmName": "a", "StateValue": "ALARM"}],
    }
    cloudwatch.add_response(
        "describe_alarms",
        found,
        {"AlarmNames": ["a", "quiet", "b"], **dict.fromkeys(("AlarmTypes", "StateValue", "MaxRecords"), ANY)},
    )

    assert alarms_in_alarm(["a", "quiet", "b"]) == ["a", "b"]
    assert alarms_in_alarm([]) == []
