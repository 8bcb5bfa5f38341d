"""What is a train made of, and what may it do?"""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.core.images import PULL_ACTIONS
from mlplatform_cdk.release.train import Freeze, FreezeCalendar, Wave
from mlplatform_cdk.release.train.definition import EVENTS_A_LOOK, EVENTS_FOR_LOOKS
from mlplatform_cdk.release.train.runtime.core import Progress, TrainFacts
from mlplatform_cdk.release.train.runtime.errors import TrackTaken
from tests.contracts.asl import needed_actions, problems
from tests.contracts.rendering import granted_actions
from tests.release.train.conftest import ABROAD, EXTERNAL_ID, HOME, WAVES, BuiltTrain, station_stack, stop

CALENDAR = FreezeCalendar(freezes=(Freeze(date(2026, 12, 24), date(2026, 12, 31), "the end of the year"),))
UNASKED = [replace(wave, approval=None) for wave in WAVES]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="plain"),
        pytest.param({"waves": UNASKED}, id="asking nobody"),
        pytest.param({"calendar": CALENDAR, "roll_back": False}, id="with a calendar and no way back"),
        pytest.param({"notify": False}, id="telling nobody"),
    ],
)
def test_every_task_is_one_that_aws_would_take(arguments: dict[str, Any]) -> None:
    assert problems(BuiltTrain(**arguments).definition) == []


def test_the_state_machines_role_may_make_exactly_the_calls_of_its_states(built: BuiltTrain) -> None:
    needed = needed_actions(built.definition)
    granted = granted_actions(built.template.to_json(), built.machine)

    assert needed <= granted
    assert {one for one in granted - needed if not one.startswith(("logs:", "xray:", "kms:"))} == set()


def test_its_function_comes_to_each_stop_as_the_role_of_that_stop_and_as_no_other(built: BuiltTrain) -> None:
    roles = [
        f"role/{name}"
        for name in (
            "staging-churn-train-eu-west-1",
            "prod-eu-churn-train-eu-west-1",
            "prod-us-churn-train-us-east-1",
            "prod-ca-churn-train-ca-central-1",
        )
    ]
    accounts = [HOME, ABROAD, ABROAD, ABROAD]
    arns = [
        {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{account}:{role}"]]}
        for account, role in zip(accounts, roles, strict=True)
    ]

    built.template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with([{"Action": "sts:AssumeRole", "Effect": "Allow", "Resource": arns}])
            }
        },
    )


def test_no_policy_has_a_wildcard_action_or_outgrows_its_limit(built: BuiltTrain) -> None:
    for template in (built.template, Template.from_stack(station_stack())):
        for policy in template.find_resources("AWS::IAM::ManagedPolicy").values():
            document = policy["Properties"]["PolicyDocument"]
            assert not [one for one in document["Statement"] if "*" in json.dumps(one["Action"])]
            assert len(json.dumps(document, separators=(",", ":"))) < 6144


def test_the_definition_holds_what_the_code_reads(built: BuiltTrain) -> None:
    payload = built.state("Advance")["Parameters"]["Payload"]

    train = TrainFacts.from_mapping(payload["train"])
    assert [(wave.name, tuple(wave.stations), wave.approval_s) for wave in train.waves] == [
        ("staging", ("staging",), 0),
        ("europe", ("prod-eu",), 8 * 3600),
        ("america", ("prod-us", "prod-ca"), 0),
    ]
    begun = built.state("Begin")["Parameters"]["next"]["progress"]
    assert Progress.from_mapping(begun) == Progress()
    assert {one["external_id"] for one in payload["stations"]} == {EXTERNAL_ID}


def test_no_wave_departs_but_by_the_decision(built: BuiltTrain) -> None:
    states = built.definition["States"]
    leading = {
        name
        for name, state in states.items()
        if state.get("Next") == "Wave" or any(one["Next"] == "Wave" for one in state.get("Choices", []))
    }

    assert leading == {"WhichWay"}
    assert {states[name]["Next"] for name in ("Wave", "GoBack", "AskForApproval", "NothingNew")} == {"Advance"}


def test_a_train_waits_a_week_while_another_one_is_on_its_way(built: BuiltTrain) -> None:
    waiting, *_ = built.state("Prepare")["Retry"]

    assert waiting["ErrorEquals"] == [TrackTaken.__name__]
    assert timedelta(days=7) <= waiting["MaxAttempts"] * timedelta(seconds=waiting["MaxDelaySeconds"])
    # Beside the looks and a wait a day for a year: 3 events a try, and 11 a day.
    assert 3 * waiting["MaxAttempts"] + 11 * 365 <= 7_000


@pytest.mark.parametrize("patience", [timedelta(hours=1), timedelta(days=2), timedelta(days=30)])
@pytest.mark.parametrize("stops", [1, 4, 12])
def test_the_looks_of_a_whole_journey_fit_into_one_history(patience: timedelta, stops: int) -> None:
    waves = [Wave(name=f"w{number}", stops=[stop(f"s{number}")]) for number in range(stops)]
    branch = BuiltTrain(waves=waves, patience=patience).state("Wave")["ItemProcessor"]["States"]

    looks = branch["LookAtRelease"]["Parameters"]["Payload"]["most_looks"]
    every = branch["WaitForRelease"]["Seconds"]
    assert stops * looks * EVENTS_A_LOOK <= EVENTS_FOR_LOOKS + stops * EVENTS_A_LOOK
    assert looks * every >= patience.total_seconds()
    assert EVENTS_FOR_LOOKS < 25_000 - 6_000


def test_a_station_is_entered_with_the_external_id_only_and_by_the_name_that_the_train_knows() -> None:
    template = Template.from_stack(station_stack())

    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "RoleName": "prod-eu-churn-train-eu-west-1",
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
                        "Effect": "Allow",
                        "Principal": {"AWS": Match.any_value()},
                    }
                ]
            },
        },
    )


def test_a_station_takes_archives_under_one_prefix_and_images_into_one_repository() -> None:
    template = Template.from_stack(station_stack())
    ((_, role),) = template.find_resources("AWS::IAM::Role", {"Properties": {"RoleName": Match.any_value()}}).items()
    (policy,) = [one["Ref"] for one in role["Properties"]["ManagedPolicyArns"]]
    statements = template.to_json()["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]

    writes = [one for one in statements if "s3:PutObject" in one["Action"]]
    assert all(json.dumps(one["Resource"]).count("/runs/promoted/*") == 1 for one in writes)
    (pushes,) = [one for one in statements if "ecr:PutImage" in one["Action"]]
    assert "StationImages" in json.dumps(pushes["Resource"])
    template.has_resource_properties(
        "AWS::ECR::Repository",
        {"ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration": {"ScanOnPush": True}},
    )


def test_people_find_a_train_by_its_name_like_an_endpoint(built: BuiltTrain) -> None:
    built.template.has_resource_properties("AWS::SSM::Parameter", {"Name": "/mlplatform/releases/churn-train"})
    built.template.has_resource_properties("AWS::StepFunctions::StateMachine", {"StateMachineName": "churn-train"})


def test_a_station_keeps_as_many_images_as_it_is_told_and_more_than_releases_need() -> None:
    (images,) = Template.from_stack(station_stack(kept_images=50)).find_resources("AWS::ECR::Repository").values()
    policy = json.loads(images["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])
    assert [rule["selection"]["countNumber"] for rule in policy["rules"]] == [50]

    with pytest.raises(ConfigurationError, match="kept_images must be at least 4, of green, blue and the kept"):
        station_stack(kept_images=3)


def test_a_station_says_what_the_train_reads() -> None:
    template = Template.from_stack(station_stack())

    template.has_resource_properties("AWS::SSM::Parameter", {"Name": "/mlplatform/train/prod-eu-churn"})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"waves": []}, "a train must have a wave, got none"),
        ({"waves": [WAVES[0], replace(WAVES[0], name="again")]}, "a train goes to each stop once, got staging twice"),
        (
            {"waves": [Wave(name="all", stops=[stop("a")]), Wave(name="all", stops=[stop("b")])]},
            "a train goes to each wave once, got all twice",
        ),
        (
            {"waves": [Wave(name="all", stops=[stop("a"), replace(stop("a"), name="b")])]},
            "a train goes to each endpoint once, got a-churn in 222222222222, eu-west-1 twice",
        ),
        ({"name": "the churn train"}, "name must be 1 to 80 letters, digits, hyphens and underscores"),
        ({"patience": timedelta(minutes=1)}, "patience must be from 10 minutes to 30 days"),
    ],
)
def test_a_train_that_goes_nowhere_or_twice_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        BuiltTrain(**arguments)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "Prod"}, "a stop's name must be"),
        ({"account": "1234"}, "account must have 12 digits"),
        ({"region": "europe"}, "region must be one such as 'eu-west-1'"),
        ({"external_id": "x"}, "external_id must be 2 to 1224"),
    ],
)
def test_a_stop_that_is_nowhere_is_refused(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(stop("staging"), **changes)


def test_a_wave_without_a_stop_or_with_an_endless_question_is_refused() -> None:
    with pytest.raises(ValueError, match="wave a must have a stop"):
        Wave(name="a", stops=[])
    with pytest.raises(ValueError, match="approval must be from a second to 300 days"):
        Wave(name="a", stops=[stop("a")], approval=timedelta(0))


def test_a_station_serves_replicated_images_from_where_they_are() -> None:
    template = Template.from_stack(station_stack(replicated_images=["shared/"])).to_json()["Resources"]
    told = json.dumps([one for one in template.values() if one["Type"] == "AWS::SSM::Parameter"])
    grants = [
        (name, statement["Action"])
        for name, one in template.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if "repository/shared/*" in json.dumps(statement["Resource"])
    ]

    assert '\\"replicated\\":[\\"shared/\\"]' in told
    assert sorted((name.rpartition("Permissions")[0], str(action)) for name, action in grants) == [
        ("EndpointModelRole", str([*PULL_ACTIONS[:-1]])),
        ("ReleaseStepsRole", "ecr:BatchGetImage"),
        ("StationRole", "ecr:BatchGetImage"),
    ]


def test_a_release_may_look_for_the_images_that_trains_have_brought() -> None:
    template = Template.from_stack(station_stack()).to_json()["Resources"]

    (repository,) = [name for name, one in template.items() if one["Type"] == "AWS::ECR::Repository"]
    looked_for = [
        name
        for name, one in template.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "ecr:BatchGetImage" and repository in json.dumps(statement["Resource"])
    ]
    assert [name.rpartition("Permissions")[0] for name in looked_for] == ["ReleaseStepsRole"]
