"""Does the plan of a game day follow from the app, and does the document run it, judge it and keep it?"""

import json
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore
from mlplatform_cdk.resilience import ChaosExperiments, EndpointStopped, GameDay, LambdaErrors, ZoneLost
from mlplatform_cdk.resilience.game_day.arithmetic import expected
from tests.resilience.chaos.building import alarm, subnets
from tests.routing.regional_api.building import PLAN, Built

OUT = "models.example.com-eu-west-1-out-of-service"


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


def test_the_day_may_do_its_steps_and_nothing_else(day: Day) -> None:
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in day.template.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith("AutumnAutomationRole")
    ]
    may = {
        action for one in policy for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }

    steps = {"fis:GetExperiment", "fis:StartExperiment", "fis:StopExperiment", "fis:TagResource"}
    scripts = {"cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", "fis:GetExperiment", "s3:PutObject"}
    (looks,) = [one for one in policy if "cloudwatch:DescribeAlarmHistory" in one["Action"]]
    assert looks["Resource"] == "*"  # else CloudWatch says nothing of a composite alarm
    assert steps | scripts == {one for one in may if not one.startswith("kms:")} - {"s3:AbortMultipartUpload"}


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
