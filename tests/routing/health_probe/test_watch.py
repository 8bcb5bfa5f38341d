"""How do rounds become verdicts in the table, and who may write them?"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from mlplatform_cdk.routing.health_probe.runtime import handler, metrics
from mlplatform_cdk.routing.health_probe.runtime.probe import Round
from mlplatform_cdk.routing.health_probe.runtime.row import Superseded, VerdictRow
from mlplatform_cdk.routing.health_probe.runtime.watch import Watch
from mlplatform_cdk.runtimekit.region_health import Evidence, Golden, HealthState, Observation, Peer, RegionHealth
from tests.routing.health_probe.conftest import ENDPOINT, REGION, TABLE, manifest_of, register, serve

pytestmark = pytest.mark.usefixtures("account")

B = Peer("b", in_service=True, golden=Golden.RIGHT, version="v1", well=True, steady=True, round=7)
RIGHT = Round(
    golden=Golden.RIGHT, version="v1", label="churn version 1", peers=(B,), others=1, latencies_ms=(5.0, 6.0, 7.0)
)
LATE = ReadTimeoutError(endpoint_url="https://dynamodb")
FAILED = replace(RIGHT, golden=Golden.FAILED, reason="3 of 3 failed")


@dataclass
class Story:
    """Rounds as a test says them, the last for ever, in a time that passes by sleeping only."""

    rounds: list[Round]
    now: float = 1_790_000_000.0
    numbers: list[int] = field(default_factory=list)
    told: list[tuple[str, Golden]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    before_sleep: Any = None

    def round(self, number: int) -> Round:
        self.numbers.append(number)
        return self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]

    def watch(self, runner: str = "one") -> Watch:
        return Watch(
            probe=self,
            row=VerdictRow(TABLE, ENDPOINT, runner),
            core=RegionHealth(),
            tell=lambda verdict, saw, _now: self.told.append((verdict.status, saw.golden)),
            clock=lambda: self.now,
            steady_clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.before_sleep:
            self.before_sleep(len(self.slept))
        self.now += seconds


def row() -> dict[str, Any]:
    item: dict[str, Any] = boto3.client("dynamodb").get_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}})["Item"]
    return item


def drain(who: str | None) -> None:
    told = {"by": {"S": who or ""}, "reason": {"S": "maintenance"}, "at": {"N": "1"}}
    change = {"UpdateExpression": "SET drain = :d", "ExpressionAttributeValues": {":d": {"M": told}}}
    boto3.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"endpoint": {"S": ENDPOINT}},
        **(change if who else {"UpdateExpression": "REMOVE drain"}),
    )


def test_a_run_leaves_its_verdict_for_the_api_and_its_memory_for_the_next_run() -> None:
    story = Story([RIGHT])

    assert story.watch().run(45) == 5

    item = row()
    assert item["status"] == {"S": "in-service"}
    assert item["label"] == {"S": "churn version 1"}
    assert int(item["valid_until"]["N"]) == 1_790_000_000_000 + 40_000 + 30_000
    assert json.loads(item["body"]["S"]) == {
        "status": "in-service",
        "golden": "right",
        "version": "v1",
        "well": True,
        "steady": True,
        "round": 5,
        "since": 1_790_000_040_000,
    }
    Story([RIGHT], now=1_790_000_050.0).watch("two").run(5)
    assert HealthState.from_mapping(json.loads(row()["memory"]["S"])).round == 6


def test_rounds_come_every_ten_seconds_and_twice_as_often_in_doubt() -> None:
    story = Story([*[RIGHT] * 6, FAILED, FAILED, FAILED, RIGHT])

    story.watch().run(100)

    assert story.slept[:9] == [10, 10, 10, 10, 10, 10, 5, 5, 10]
    assert ("out-of-service", Golden.FAILED) in story.told


def test_a_run_that_begins_takes_over_from_the_one_before_it() -> None:
    first, second = Story([RIGHT]), Story([RIGHT], now=1_790_000_060.0)
    first.before_sleep = lambda count: count == 3 and second.watch("two").run(25)

    assert first.watch("one").run(100) == 3

    assert row()["runner"] == {"S": "two"}
    assert second.numbers[0] == 3


def test_a_run_that_is_late_does_not_take_the_row_from_a_later_one() -> None:
    Story([RIGHT], now=1_790_000_060.0).watch("two").run(5)

    assert Story([RIGHT]).watch("one").run(100) == 0
    with pytest.raises(Superseded):
        VerdictRow(TABLE, ENDPOINT, "one").claim(1_790_000_000_000)


@pytest.mark.parametrize("problem", [ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem"), LATE])
def test_a_write_that_fails_costs_its_round_and_not_the_run(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("claim", "publish"):
        monkeypatch.setattr(VerdictRow, name, failing(getattr(VerdictRow, name), calls, problem))
    story = Story([RIGHT])

    # The first claim fails, and so do two verdicts; the run lasts from its beginning.
    assert story.watch().run(100) == 8

    assert story.slept == [2.5, *[10] * 9]
    assert int(row()["valid_until"]["N"]) == 1_790_000_092_500 + 30_000
    assert HealthState.from_mapping(json.loads(row()["memory"]["S"])).round == 10
    # What /health does not say, no metric says either.
    assert len(story.told) == 8


def test_a_run_whose_claim_came_late_does_not_take_the_row_from_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Story([RIGHT]), Story([RIGHT], now=1_790_000_001.0)
    first.before_sleep = lambda _: second.watch("two").run(5)
    monkeypatch.setattr(VerdictRow, "claim", failing(VerdictRow.claim, [], LATE))

    assert first.watch("one").run(100) == 0

    assert row()["runner"] == {"S": "two"}


def failing(call: Callable[..., Any], calls: list[str], problem: Exception) -> Callable[..., Any]:
    """``call``, of which the first and the fourth of all calls fail, and the fifth."""

    def maybe(*told: Any, **named: Any) -> Any:
        calls.append(call.__name__)
        if len(calls) in {1, 4, 5}:
            raise problem
        return call(*told, **named)

    return maybe


def test_a_drained_region_says_so_in_the_next_round_and_keeps_who_did_it() -> None:
    story = Story([RIGHT])
    story.before_sleep = lambda count: count == 6 and drain("ann")

    story.watch().run(75)

    assert row()["status"] == {"S": "drained"}
    assert row()["drain"]["M"]["by"] == {"S": "ann"}
    assert "in-service" not in row()["body"]["S"]
    # The round that found the drain is followed by one that says it, at once.
    assert story.slept[6:8] == [0, 10]

    drain(None)
    again = Story([RIGHT], now=1_790_000_100.0)
    again.watch("two").run(5)
    assert again.told == [("in-service", Golden.RIGHT)]


def test_a_drain_that_says_nobodys_name_is_one_too() -> None:
    Story([RIGHT]).watch().run(5)
    drain("x")
    boto3.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"endpoint": {"S": ENDPOINT}},
        UpdateExpression="SET drain = :d",
        ExpressionAttributeValues={":d": {"M": {}}},
    )

    _, drained = VerdictRow(TABLE, ENDPOINT, "two").claim(1_800_000_000_000)

    assert drained.by == "somebody"


def test_a_round_is_metrics_by_region() -> None:
    own = Observation(1_790_000_000_000, Golden.WRONG, "v1")
    state = HealthState(round=3, well=False, bad=3.0, in_service=True)
    _, verdict = RegionHealth().fold(state, Evidence(own, (B._replace(golden=Golden.WRONG),), 1))

    line = json.loads(metrics.line(verdict, [5.0, 6.0], domain="models.example.com", region=REGION, now_ms=7))

    assert (line["InService"], line["Right"], line["WrongEverywhere"], line["Latency"]) == (1, 0, 1, [5.0, 6.0])
    assert line["VersionsDiffer"] == 0
    assert "OthersInService" not in line
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "MLPlatform/Regions"
    assert [line[name] for name in directive["Dimensions"][0]] == ["models.example.com", REGION]
    assert {one["Name"] for one in directive["Metrics"]} <= line.keys()


@pytest.mark.parametrize(
    ("saw", "said"),
    [
        pytest.param(Round(golden=Golden.RIGHT), None, id="there are no others"),
        pytest.param(Round(golden=Golden.RIGHT, others=2), 0, id="none can be read"),
        pytest.param(Round(golden=Golden.RIGHT, others=2, peers=(B, B._replace(in_service=False))), 1, id="one serves"),
    ],
)
def test_a_region_says_how_many_would_take_its_callers_over(
    saw: Round, said: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOMAIN_NAME", "models.example.com")
    monkeypatch.setenv("AWS_REGION", REGION)
    own = Observation(1_790_000_000_000, Golden.RIGHT, "v1")
    state = HealthState(round=3, in_service=True)
    _, verdict = RegionHealth().fold(state, Evidence(own, saw.peers, saw.others))

    handler._tell(verdict, saw, 7)

    assert json.loads(capsys.readouterr().out).get("OthersInService") == said


def test_the_function_watches_its_region_from_its_settings_alone(
    regions: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = regions(health=json.dumps({"status": "stale"}).encode(), health_status=503)
    region = regions()
    at = {f"{REGION}.models.example.com": region.url, "eu-central-1.models.example.com": other.url}
    serve(a=register(manifest_of()))
    for name, value in {
        "ENDPOINT_NAME": ENDPOINT,
        "VERDICT_TABLE": TABLE,
        "REGIONAL_NAMES": "{region}.models.example.com",
        "NAMES_AT": json.dumps(at),
        "DOMAIN_NAME": "models.example.com",
        "INTERVAL_S": "1",
        "OVERHEAD_MS": "5000",
        "UNHEALTHY_AFTER": "1",
    }.items():
        monkeypatch.setenv(name, value)
    handler._probe.cache_clear()

    class Context:
        aws_request_id = "request-1"

    try:
        answer = handler.handle({"seconds": 0.5}, Context())
    finally:
        handler._probe.cache_clear()

    assert answer == {"published": 1}
    assert row()["status"] == {"S": "in-service"}
    assert row()["version"] == {"S": "d" * 12}
    assert [headers["host"] for _, headers, _ in region.requests] == [f"{REGION}.models.example.com"] * 3
    assert '"InService": 1' in capsys.readouterr().out
