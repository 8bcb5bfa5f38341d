"""What becomes of a release when people and alarms end it, calls are throttled, or what it needs is deleted.

On the embedded AWS, with the deployed template, and a container that is up at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.release.rehearsal import journeys
from tests.release.rehearsal.breakpoints import BREAKPOINT, stopping_at, without_retirement, without_retries
from tests.release.rehearsal.conftest import ENDPOINT
from tests.release.rehearsal.tiny_platform import deployed
from tests.release.rehearsal.walk import Walk


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The platform, deployed, and what is done to it."""
    with deployed(tmp_path_factory) as made:
        yield made


@pytest.fixture(autouse=True)
def _unthrottled(walk: Walk) -> None:
    walk.throttle(Nothing=0)


def test_a_release_that_somebody_aborts_goes_back_and_its_version_is_rejected(walk: Walk) -> None:
    before = walk.need_endpoint()

    halted = walk.halt("BeginWindow", journeys.released)
    assert sorted(walk.rehearsal.traffic().values()) == [0.5, 0.5]
    walk.stop(halted, error="Release.Aborted", cause="anna: not this one")
    walk.rest()

    assert walk.require_known_state() == before
    version = walk.version_of(halted)
    assert walk.rehearsal.package(version)["ModelApprovalStatus"] == "Rejected"
    assert "anna: not this one" in walk.rehearsal.package(version)["ApprovalDescription"]
    assert "anna: not this one" in str([one["reason"] for one in walk.records() if one["version"] == version])


def test_a_release_that_nobody_decided_to_end_goes_back_and_its_version_may_come_again(walk: Walk) -> None:
    before = walk.need_endpoint()
    halted = walk.halt("BeginWindow", journeys.released)
    walk.stop(halted)
    walk.rest()
    version = walk.version_of(halted)
    assert walk.require_known_state() == before
    assert walk.rehearsal.package(version)["ModelApprovalStatus"] == "Approved"

    walk.start(model_package_arn=version)
    walk.rest()

    assert walk.require_known_state() == version


def test_the_marks_of_a_release_start_no_other_and_a_retired_version_is_brought_back_by_hand(walk: Walk) -> None:
    before = walk.need_endpoint()
    known = walk.releases()
    better = walk.approve()
    walk.rest()
    assert walk.require_known_state() == better

    back = walk.ended(walk.start(model_package_arn=before))  # whatever the marks had started would be there by now
    walk.rest()

    assert back["status"] == "SUCCEEDED"
    assert walk.require_known_state() == before
    assert [walk.version_of(one) for one in walk.releases() if one not in known] == [before, better]


def test_of_two_releases_the_second_waits_and_then_wins(walk: Walk) -> None:
    walk.need_endpoint()
    first, second = walk.approve(), walk.approve()  # the older one runs still: events alone keep no order
    older, newer = walk.release_of(first), walk.release_of(second)

    assert walk.ended(older)["status"] == "SUCCEEDED"
    assert walk.ended(newer)["status"] == "SUCCEEDED"
    walk.rest()
    assert "WaitForTurn" in walk.rehearsal.visited(newer)
    assert walk.require_known_state() == second


def test_a_release_that_is_stopped_while_a_person_is_asked_goes_back(walk: Walk) -> None:
    before = walk.need_endpoint()
    walk.use(walk.deployed)
    walk.approve()
    asking = walk.rehearsal.until(lambda: [one for one in walk.running() if walk.at(one) == "AskPerson"])
    walk.stop(asking[0])
    walk.use()
    walk.rest()

    assert walk.require_known_state() == before


def test_the_same_version_asked_for_twice_is_released_once(walk: Walk) -> None:
    walk.need_endpoint()
    walk.use(stopping_at(walk.original, "BeginWindow"))
    version = walk.approve()
    (first,) = walk.running()
    walk.rehearsal.until(lambda: walk.at(first) == BREAKPOINT)

    second = walk.ended(walk.start(model_package_arn=version, by="approval"))
    walk.use()
    walk.go_on()

    assert second["status"] == "SUCCEEDED"
    assert "Plan" not in walk.rehearsal.visited(second["executionArn"])
    assert walk.ended(first)["status"] == "SUCCEEDED"
    walk.rest()
    assert walk.require_known_state() == version


def test_a_newer_version_that_may_supersede_ends_the_running_release_which_is_not_rejected(walk: Walk) -> None:
    walk.need_endpoint()
    halted = walk.halt("BeginWindow", journeys.released)
    newer = walk.rehearsal.register()
    walk.rehearsal.aws.client("sagemaker").update_model_package(
        ModelPackageArn=newer, ModelApprovalStatus="Approved", ModelLifeCycle={"Stage": "x", "StageStatus": "y"}
    )

    execution = walk.ended(walk.start(model_package_arn=newer, supersede=True))
    walk.rest()

    assert execution["status"] == "SUCCEEDED", execution
    ended = walk.ended(halted)
    assert (ended["status"], ended["error"]) == ("ABORTED", "Release.Superseded")
    assert walk.require_known_state() == newer
    assert walk.rehearsal.package(walk.version_of(halted))["ModelApprovalStatus"] == "Approved"


def test_an_alarm_on_green_gives_its_traffic_back_and_ends_the_release(walk: Walk) -> None:
    before = walk.need_endpoint()
    halted = walk.halt("BeginWindow", journeys.released)
    (row,) = walk.lock()
    green = json.loads(row["plan"]["S"])["green"]["variant"]

    walk.rehearsal.aws.client("cloudwatch").set_alarm_state(
        AlarmName=f"{ENDPOINT}--{green}-errors", StateValue="ALARM", StateReason="12 errors in a minute"
    )
    ended = walk.ended(halted)
    walk.rest()

    assert (ended["status"], ended["error"]) == ("ABORTED", "Release.Alarm")
    assert ended["cause"] == f"{ENDPOINT}--{green}-errors: 12 errors in a minute"
    assert walk.require_known_state() == before
    assert walk.rehearsal.package(walk.version_of(halted))["ModelApprovalStatus"] == "Rejected"


def test_who_rejects_the_live_version_in_the_registry_takes_it_back(walk: Walk) -> None:
    before = walk.need_endpoint()
    walk.use(without_retirement(walk.original))
    bad = walk.approve()
    walk.rest()
    assert walk.require_known_state() == bad

    walk.rehearsal.aws.client("sagemaker").update_model_package(
        ModelPackageArn=bad, ModelApprovalStatus="Rejected", ApprovalDescription="it was trained on yesterday's labels"
    )
    walk.rehearsal.until(lambda: walk.rehearsal.traffic().get(before, 0) > 0)
    walk.rest()

    assert walk.require_known_state() == before


def test_calls_that_are_throttled_for_a_while_change_nothing(walk: Walk) -> None:
    walk.need_endpoint()
    walk.use()
    # boto3 makes a call five times, before the state has to try again.
    walk.throttle(CreateModel=3, UpdateEndpointWeightsAndCapacities=6, DescribeEndpoint=6, PutItem=6)

    version = walk.approve()
    walk.rest()

    assert walk.require_known_state() == version, walk.story()
    assert walk.throttle() == {}


def test_calls_that_took_effect_and_whose_answers_were_lost_change_nothing(walk: Walk) -> None:
    walk.need_endpoint()
    walk.use()
    lost = ("CreateModel", "CreateEndpointConfig", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities")
    walk.throttle(**{f"lost-{operation}": 1 for operation in lost})

    version = walk.approve()
    walk.rest()

    assert walk.require_known_state() == version, walk.story()
    assert walk.throttle() == {}


def test_a_release_that_is_throttled_for_too_long_goes_back_when_that_is_over(walk: Walk) -> None:
    before = walk.need_endpoint()
    walk.use(without_retries(walk.original))
    walk.throttle(UpdateEndpointWeightsAndCapacities=5)

    version = walk.approve()
    walk.rest()

    assert walk.throttle() == {}
    ended = walk.ended(walk.release_of(version))
    assert (ended["status"], ended["error"]) == ("FAILED", "ShiftTraffic")
    assert "Rate exceeded" in ended["cause"]
    assert walk.require_known_state() == before
    # It says nothing about the version that AWS had no time.
    assert walk.rehearsal.package(version)["ModelApprovalStatus"] == "Approved"


def test_a_task_that_fails_takes_the_release_back(walk: Walk) -> None:
    before = walk.need_endpoint()
    walk.use(stopping_at(walk.original, "BringUpGreen"))
    walk.approve()
    walk.use()
    (execution,) = walk.running()
    walk.rehearsal.until(lambda: walk.at(execution) == BREAKPOINT)
    sagemaker = walk.rehearsal.aws.client("sagemaker")
    for one in sagemaker.list_endpoint_configs(NameContains="-both")["EndpointConfigs"]:
        sagemaker.delete_endpoint_config(EndpointConfigName=one["EndpointConfigName"])
    walk.go_on()
    ended = walk.ended(execution)
    walk.rest()

    assert (ended["status"], ended["error"]) == ("FAILED", "BringUpGreen")
    assert walk.require_known_state() == before


def test_a_green_that_is_deleted_under_its_release_takes_it_back(walk: Walk) -> None:
    before = walk.need_endpoint()
    configuration = walk.rehearsal.endpoint()["EndpointConfigName"]
    walk.use(stopping_at(walk.original, "ShiftTraffic"))
    walk.approve()
    walk.use()
    (execution,) = walk.running()
    walk.rehearsal.until(lambda: walk.at(execution) == BREAKPOINT)
    walk.rehearsal.aws.client("sagemaker").update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=configuration, RetainAllVariantProperties=True
    )
    walk.go_on()
    ended = walk.ended(execution)
    walk.rest()

    assert ended["status"] == "FAILED"
    assert walk.require_known_state() == before


def test_a_blue_that_is_deleted_under_the_release_leaves_green_with_all_traffic(walk: Walk) -> None:
    walk.need_endpoint()
    walk.use(stopping_at(walk.original, "BeginWindow"))
    version = walk.approve()
    walk.use()
    (execution,) = walk.running()
    walk.rehearsal.until(lambda: walk.at(execution) == BREAKPOINT)
    sagemaker = walk.rehearsal.aws.client("sagemaker")
    only = sagemaker.list_endpoint_configs(NameContains="-only", SortBy="CreationTime", SortOrder="Descending")
    walk.let_go_of_scaling()
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=only["EndpointConfigs"][0]["EndpointConfigName"]
    )
    walk.go_on()
    ended = walk.ended(execution)
    walk.rest()

    assert ended["status"] == "FAILED"
    assert list(walk.rehearsal.traffic()) == [version]
