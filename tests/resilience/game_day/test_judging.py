"""Does a game day begin only when all is quiet, and is each experiment held against what was said?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.resilience.game_day.runtime import judging

BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)
EVENTS = {"Bucket": "reports", "Prefix": "game-days/Autumn/", "Execution": "e-1", "Name": "stopped"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="reports")
        yield boto3.client


def kept(name: str) -> str:
    return boto3.client("s3").get_object(Bucket="reports", Key=f"game-days/Autumn/e-1/{name}")["Body"].read().decode()


def test_a_day_begins_only_where_every_alarm_is_ok_and_keeps_its_plan(aws: Any) -> None:
    client = aws("cloudwatch")
    metric = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
    for name in ("out", "alone"):
        client.put_metric_alarm(AlarmName=name, ComparisonOperator="LessThanThreshold", Statistic="Minimum", **metric)
        client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="so")
    events = {**EVENTS, "Alarms": "out\nalone", "Plan": "# Game day"}

    assert judging.begin(events, None) == {"Steady": "2"}
    assert kept("plan.md") == "# Game day"
    client.set_alarm_state(AlarmName="out", StateValue="ALARM", StateReason="so")
    with pytest.raises(RuntimeError, match="got: out is ALARM, gone is missing"):
        judging.begin({**events, "Alarms": "out\nalone\ngone"}, None)


class Fake:
    """AWS FIS, CloudWatch and a bucket, after an experiment; moto keeps no history of alarms."""

    def __init__(self, status: str = "completed", **history: list[tuple[int, str]]) -> None:
        self.status, self.history, self.kept = status, history, dict[str, str]()

    def put_object(self, *, Key: str, Body: bytes, **_more: str) -> None:  # noqa: N803
        self.kept[Key.removeprefix("game-days/Autumn/e-1/")] = Body.decode()

    def get_experiment(self, *, id: str) -> dict[str, Any]:
        return {"experiment": {"id": id, "startTime": BEGAN, "state": {"status": self.status, "reason": "so"}}}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_alarm_history"
        return self

    def paginate(self, *, AlarmName: str, **_more: Any) -> list[dict[str, Any]]:  # noqa: N803
        items = [
            {
                "Timestamp": BEGAN + timedelta(seconds=at),
                "HistoryData": json.dumps({"newState": {"stateValue": state}}),
            }
            for at, state in self.history.get(AlarmName, [])
        ]
        return [{"AlarmHistoryItems": items}]


def judged(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> dict[str, Any]:
    monkeypatch.setattr(boto3, "client", lambda _name: fake)
    return judging.judge({**EVENTS, "Experiment": "EXP1", "Rings": "210 out", "Quiet": "alone"}, None)


def test_what_rang_in_time_and_is_quiet_again_holds_and_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(out=[(150, "ALARM"), (900, "OK")])

    assert judged(monkeypatch, fake) == {"Verdict": "it holds"}

    page = fake.kept["stopped.md"]
    assert page.startswith("# stopped: it holds")
    assert "| out | within 210 s | 150 s | no |" in page
    assert "| alone | never | - | no |" in page


@pytest.mark.parametrize(
    ("fake", "problem"),
    [
        (Fake(), "out did not ring within 210 s"),
        (Fake(out=[(300, "ALARM"), (900, "OK")]), "out rang after 300 s, not within 210 s"),
        (Fake(out=[(150, "ALARM")]), "out still rings"),
        (Fake(out=[(9, "ALARM"), (99, "OK")], alone=[(50, "ALARM"), (60, "OK")]), "alone rang after 50 s, and should"),
        (Fake("stopped", out=[(9, "ALARM"), (99, "OK")]), "the experiment is stopped: so"),
    ],
)
def test_what_did_not_come_as_it_was_said_refutes_the_drill_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, fake: Fake, problem: str
) -> None:
    with pytest.raises(RuntimeError, match=f"stopped is refuted: .*{problem}"):
        judged(monkeypatch, fake)

    assert f"- {problem}" in fake.kept["stopped.md"]
