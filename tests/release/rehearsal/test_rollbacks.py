"""Blue is kept after a release: can it be brought back at any time, and does it go when its time is over?"""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.release.rehearsal.breakpoints import retiring_after
from tests.release.rehearsal.callers import Callers
from tests.release.rehearsal.conftest import CANARY, Rehearsal

# Far longer than these tests take, whatever runs beside them.
STRATEGY = CANARY.with_(retention=timedelta(days=7), observe=timedelta(seconds=10), bake=timedelta(0))


@pytest.fixture(scope="module")
def kept(rehearsal: Rehearsal) -> tuple[str, str]:
    """Two versions: the first one is kept, the second one serves."""
    versions = rehearsal.register(), rehearsal.register()
    for one in versions:
        execution = rehearsal.approve(one)
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
    return versions


def _ask(rehearsal: Rehearsal, **request: str) -> dict[str, Any]:
    started = rehearsal.aws.client("stepfunctions").start_execution(
        stateMachineArn=rehearsal.outputs["Machine"], input=json.dumps(request)
    )
    return rehearsal.end_of(started["executionArn"])


def _stages(rehearsal: Rehearsal, *versions: str) -> list[str]:
    return [rehearsal.package(one)["ModelLifeCycle"]["StageStatus"] for one in versions]


def test_blue_is_kept_scaled_down_and_green_scales(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, second = kept

    assert rehearsal.traffic() == {first: 0.0, second: 1.0}
    assert _stages(rehearsal, first, second) == ["Retired", "InService"]
    assert len(rehearsal.targets()) == 1


def test_a_rollback_is_one_call_and_says_why(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, second = kept

    with Callers(rehearsal) as callers:
        execution = _ask(rehearsal, action="rollback", who="ann", reason="complaints")

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    assert rehearsal.visited(execution["executionArn"]).count("RestoreTraffic") == 1
    assert rehearsal.traffic() == {first: 1.0}
    assert callers.outcomes.keys() == {"answered"}
    assert _stages(rehearsal, first, second) == ["InService", "Retired"]
    package = rehearsal.package(second)
    assert (package["ModelApprovalStatus"], "ann: complaints" in package["ApprovalDescription"]) == ("Rejected", True)


def test_rejecting_the_live_version_brings_the_one_before_back(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, _ = kept
    third = rehearsal.register()
    assert rehearsal.approve(third)["status"] == "SUCCEEDED"
    assert rehearsal.traffic() == {first: 0.0, third: 1.0}

    rehearsal.aws.client("sagemaker").update_model_package(ModelPackageArn=third, ModelApprovalStatus="Rejected")

    rehearsal.until(lambda: rehearsal.traffic() == {first: 1.0})
    _rest(rehearsal)
    assert _stages(rehearsal, first, third) == ["InService", "Retired"]


def test_blue_retires_when_its_time_is_over(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    states, machine = rehearsal.aws.client("stepfunctions"), rehearsal.outputs["Machine"]
    deployed = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(retiring_after(deployed, seconds=25)))
    fourth = rehearsal.register()
    assert rehearsal.approve(fourth)["status"] == "SUCCEEDED"
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(deployed))

    rehearsal.until(lambda: rehearsal.traffic() == {fourth: 1.0})
    _rest(rehearsal)
    models = rehearsal.aws.client("sagemaker").list_models()["Models"]
    assert len(models) == STRATEGY.kept_versions


def test_after_that_a_rollback_releases_the_version_before(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, _ = kept
    (live,) = rehearsal.traffic()

    execution = _ask(rehearsal, action="rollback", who="ann", reason="complaints")

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    assert rehearsal.traffic() == {live: 0.0, first: 1.0}
    assert rehearsal.package(live)["ModelApprovalStatus"] == "Rejected"


def _rest(rehearsal: Rehearsal) -> None:
    """Until nothing runs but what waits for the time of a version to be over."""
    rehearsal.until(lambda: all(_waits(rehearsal, one) for one in _running(rehearsal)))


def _running(rehearsal: Rehearsal) -> list[str]:
    return [one["executionArn"] for one in rehearsal.executions() if one["status"] == "RUNNING"]


def _waits(rehearsal: Rehearsal, execution: str) -> bool:
    return rehearsal.visited(execution)[-1] == "WaitForRetention"
