"""Does the plan of a game day follow from the app, and does the document run it, judge it and keep it?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from moto import mock_aws

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore
from mlplatform_cdk.resilience import ChaosExperiments, EndpointStopped, GameDay, LambdaErrors, ZoneLost
from mlplatform_cdk.resilience.game_day.arithmetic import expected
from mlplatform_cdk.resilience.game_day.runtime import judging
from tests.resilience.chaos.test_construct import alarm, subnets
from tests.routing.regional_api.building import PLAN, Built

OUT = "models.example.com-eu-west-1-out-of-service"
BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def ringing(stack: Stack) -> cloudwatch.Alarm:
    """As the probe's, which looks back on a minute."""
    metric = cloudwatch.Metric(namespace="N", metric_name="InService", period=Duration.minutes(1))
    return cloudwatch.Alarm(stack, "Out", alarm_name=OUT, metric=metric, threshold=1, evaluation_periods=1)


class Day:
    """A day of two experiments."""

    def __init__(self, **more: Any) -> None:
        built = Built()
        self.stack = built.stack
        artifacts = ArtifactStore(self.stack, "Artifacts", key=built.key)
        out, alone = ringing(self.stack), alarm(self.stack, "alone")
        self.chaos = ChaosExperiments(
            self.stack,
            "Chaos",
            faults={
                "stopped": EndpointStopped(api=built.api, rings=[out]),
                "zone": ZoneLost(subnets=subnets(self.stack)),
            },
            stop_on=[out, alone],
            reports=artifacts,
        )
        self.given: dict[str, Any] = {"experiments": self.chaos, "plan": PLAN, "reports": artifacts} | more
        self.day = GameDay(self.stack, "Autumn", led_by="Ada", **self.given)

        self.day.grant_start(iam.Role(self.stack, "Team", assumed_by=iam.AccountPrincipal("123456789012")))
        self.template: dict[str, Any] = Template.from_stack(self.stack).to_json()["Resources"]
        self.content: dict[str, Any] = next(
            one["Properties"]["Content"]
            for name, one in self.template.items()
            if one["Type"] == "AWS::SSM::Document" and name.startswith("Autumn")
        )


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


@pytest.fixture(scope="module")
def content(day: Day) -> dict[str, Any]:
    return day.content


def test_the_plan_says_who_what_is_steady_what_must_ring_within_how_many_seconds_and_when_to_stop(day: Day) -> None:
    page = day.day.markdown

    assert "broken in eu-west-1; other regions: us-east-1. Led by Ada" in page
    assert f"  - `{OUT}`" in page
    # The experiment's start (60), three intervals of the probe (30), the alarm's minute, and CloudWatch's.
    assert f"These ring: `{OUT}` within 210 s." in page
    # 60 + 30, Route 53's checkers (10), its answers (5) and an alias record's time to live (60).
    assert "leads callers elsewhere after 165 s" in page
    assert "- Abort: AWS FIS stops it where one of these rings: `alone`." in page
    # Five good rounds (50), the checkers, the alarm's minute, the answers, the time to live.
    assert "serves again 185 s after the end of a fault" in page


def test_what_nothing_must_notice_comes_first_and_a_region_that_left_rests_until_it_is_not_held(day: Day) -> None:
    page = day.day.markdown

    assert page.index("## 1. zone") < page.index("## 2. stopped")
    assert "Hypothesis: Callers notice nothing: no alarm rings." in page
    assert "for 10 minutes; then 35 minutes of rest." in page


def test_the_document_begins_steady_runs_one_experiment_after_the_other_and_judges_each(
    content: dict[str, Any],
) -> None:
    steps = {step["name"]: step for step in content["mainSteps"]}

    in_order = [f"{kind}{number}" for number in (1, 2) for kind in ("Start", "Watch", "Rest", "Judge")]
    assert list(steps) == ["Begin", *in_order, "Stop1", "Stop2"]
    assert [name for name, step in steps.items() if step.get("isEnd")] == ["Judge2", "Stop1", "Stop2"]
    assert (steps["Watch1"]["onCancel"], steps["Watch1"]["onFailure"]) == ("step:Stop1", "step:Stop1")
    assert steps["Judge2"]["inputs"]["InputPayload"]["Rings"]["Fn::Join"][1][0] == "210 "
    assert steps["Judge2"]["inputs"]["InputPayload"]["Quiet"] == "alone"
    assert steps["Begin"]["inputs"]["InputPayload"]["Plan"] == content["description"]


def test_the_calls_of_the_document_are_calls_of_aws(content: dict[str, Any]) -> None:
    session = botocore.session.get_session()
    own = {"Service", "Api", "PropertySelector", "DesiredValues"}
    for step in content["mainSteps"]:
        inputs = step["inputs"]
        if "Api" in inputs:
            shape = session.get_service_model(inputs["Service"]).operation_model(inputs["Api"]).input_shape
            assert {*inputs} - own <= {*shape.members}, step["name"]
            assert {*shape.required_members} <= {*inputs}, step["name"]


def test_six_experiments_fit_into_a_document(content: dict[str, Any]) -> None:
    per_experiment = len(json.dumps(next(step for step in content["mainSteps"] if step["name"] == "Judge1")))

    assert len(json.dumps(content)) + 4 * (per_experiment + 2_500) < 64 * 1024


def test_who_may_run_the_day_starts_this_document_alone(day: Day) -> None:
    team = [
        statement
        for name, one in day.template.items()
        if one["Type"] == "AWS::IAM::Policy" and name.startswith("Team")
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]

    (starts,) = [one for one in team if one["Action"] == "ssm:StartAutomationExecution"]
    assert "Autumn" in json.dumps(starts["Resource"])
    assert "fis:" not in json.dumps(team)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"order": ["other"]}, "order must name 1 to 6 experiments among stopped, zone, once each, got other"),
        ({"order": []}, "got none"),
        ({"led_by": " "}, "led_by must name who may say stop, got nobody"),
    ],
)
def test_a_day_that_could_not_be_is_refused(day: Day, more: dict[str, Any], sentence: str) -> None:
    given = day.given | {"led_by": "Ada"} | more

    with pytest.raises(ConfigurationError, match=sentence):
        GameDay(day.stack, f"Wrong{len(sentence)}", **given)


def test_an_alarm_that_rings_for_silence_is_given_the_time_for_which_cloudwatch_still_finds_data(day: Day) -> None:
    out = day.chaos.faults["stopped"].rings
    fault = LambdaErrors(functions=[None], told_by=None, rings=out)  # type: ignore[list-item,arg-type]

    (one,) = expected(fault, PLAN)

    # The extension and a run under way (180), silence (300), three intervals (30), the alarm's minute, CloudWatch's.
    assert (one.name, one.within_s) == (OUT, 630)


def test_an_experiment_that_ends_before_its_alarm_can_ring_is_refused(day: Day) -> None:
    fault = EndpointStopped(
        api=day.chaos.faults["stopped"].api,  # type: ignore[attr-defined]
        rings=day.chaos.faults["stopped"].rings,
        lasts=timedelta(minutes=3),
    )
    brief = ChaosExperiments(
        day.stack,
        "Brief",
        faults={"brief": fault},
        stop_on=[alarm(day.stack, "other")],
        reports=day.given["reports"],
    )

    with pytest.raises(ConfigurationError, match=f"brief must last for 210 s at least, so that {OUT} can ring"):
        GameDay(day.stack, "Winter", **(day.given | {"experiments": brief, "led_by": "Ada"}))


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
