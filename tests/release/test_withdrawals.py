"""What becomes of a release whose version is taken back, or that an alarm meets which is none of its doing?"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import lock
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy
from tests.release.model.scene import go, release, rest, serving
from tests.release.model.surroundings import arn_of
from tests.release.model.world import ENDPOINT, World

WINDOW = {"observe": timedelta(seconds=20), "bake": timedelta(seconds=20)}
STRATEGY = Strategy.canary(20, gates=(Gate(20),), **WINDOW)
SHADOW = Strategy.shadow(50, **WINDOW)


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.fixture
def world(patch: pytest.MonkeyPatch) -> World:
    """Version 1 serves."""
    return begun(patch, STRATEGY)


def begun(patch: pytest.MonkeyPatch, strategy: Strategy) -> World:
    made = World(strategy=strategy)
    made.install(patch)
    serving(made, 1)
    return made


def rejections(world: World, patch: pytest.MonkeyPatch) -> list[str]:
    """The versions that the machine rejects from now on."""
    made: list[str] = []
    reject = world.update_model_package

    def told(**asked: Any) -> None:
        made.append(asked["ModelPackageArn"])
        reject(**asked)

    patch.setattr(world, "update_model_package", told)
    return made


def is_back(world: World) -> bool:
    """Version 1 has all the traffic, alone, and nobody holds the endpoint."""
    packages = {one.package: one.weight for one in world.fleet.values()}
    return packages == {arn_of(1): 1.0} and lock.holder(ENDPOINT) is None and set(world.scales.values()) == {True}


@pytest.mark.parametrize("approval", ["Rejected", "PendingManualApproval"])
@pytest.mark.parametrize(
    ("state", "seen_by"),
    [
        ("BringUpGreen", "Advance"),
        ("ShiftTraffic", "Advance"),
        ("WaitToLook", "Look"),
        ("AskPerson", "Advance"),
        ("LetGreenScale", "Look"),
        ("KeepOrRetire", "MarkProduction"),
        ("MarkProduction", "MarkProduction"),
    ],
)
def test_a_version_that_is_taken_back_during_its_release_goes_back(
    world: World, patch: pytest.MonkeyPatch, state: str, seen_by: str, approval: str
) -> None:
    execution, rejected = release(world, 2, until=state), rejections(world, patch)

    world.approvals[2] = approval
    go(world, execution)
    rest(world)

    assert (execution.status, execution.error) == ("FAILED", seen_by)
    assert f"churn version 2 must be Approved all through its release, got {approval}" in execution.cause
    assert is_back(world)
    assert (world.approvals[2], rejected) == (approval, []), "nobody rejects it once more, or at all"
    assert 2 not in world.stages


def test_a_first_version_that_is_taken_back_leaves_no_endpoint(patch: pytest.MonkeyPatch) -> None:
    world = World(strategy=STRATEGY)
    world.install(patch)
    execution = release(world, 1, until="MarkProduction")

    world.approvals[1] = "Rejected"
    go(world, execution)

    assert (world.status, world.stages) == ("", {})


def test_a_version_that_is_taken_back_when_blue_is_gone_is_rolled_back_by_a_release(patch: pytest.MonkeyPatch) -> None:
    world = begun(patch, STRATEGY.with_(retention=timedelta(0)))
    execution = release(world, 2, until="MarkProduction")

    world.approvals[2] = "Rejected"
    go(world, execution)

    assert execution.cause.endswith("churn version 2 serves all traffic, and must not keep it; a rollback is next")
    rest(world)
    assert {one.package for one in world.fleet.values() if one.weight > 0} == {arn_of(1)}
    assert lock.holder(ENDPOINT) is None


def test_an_alarm_while_blue_retires_takes_the_release_of_the_version_before_again(patch: pytest.MonkeyPatch) -> None:
    world = begun(patch, STRATEGY.with_(retention=timedelta(0)))
    execution = release(world, 2, until="WaitForRetirement")

    world.ring("alarm-b")
    world.ringing.clear()
    rest(world)

    assert (execution.status, execution.error) == ("ABORTED", "Release.Alarm")
    assert {one.package for one in world.fleet.values() if one.weight > 0} == {arn_of(1)}
    assert (world.approvals[2], world.stages.get(2)) == ("Rejected", None)
    assert not [key for key in world.records if key[1] == "Released" and key[2] == "another"]


def test_a_rollback_while_blue_retires_takes_the_release_of_the_version_before_again_once(
    patch: pytest.MonkeyPatch,
) -> None:
    world = begun(patch, STRATEGY.with_(retention=timedelta(0)))
    release(world, 2, until="WaitForRetirement")

    world.start(action="rollback", who="ann", reason="calls complain")
    rest(world)

    assert {one.package for one in world.fleet.values() if one.weight > 0} == {arn_of(1)}
    assert world.approvals[2] == "Rejected"
    assert [one.given["action"] for one in world.executions.values() if "action" in one.given].count("rollback") == 1


def baking(patch: pytest.MonkeyPatch) -> World:
    """Versions 1 and 2 were in production; version 3 has all the traffic, and bakes."""
    world = begun(patch, STRATEGY)
    serving(world, 2)
    release(world, 3, until="LetGreenScale")
    return world


def packages(world: World) -> dict[str, float]:
    return {one.package: one.weight for one in world.fleet.values()}


def test_a_blue_that_is_rejected_while_green_bakes_gets_nothing_back(patch: pytest.MonkeyPatch) -> None:
    world = baking(patch)

    world.reject(2)
    rest(world)

    assert packages(world) == {arn_of(3): 1.0, arn_of(2): 0.0}
    assert (world.stages[3], world.approvals[3]) == ("InService", "Approved")


@pytest.mark.parametrize("error", ["Release.Superseded", ""], ids=["superseded", "interrupted"])
def test_a_release_that_ends_before_its_bake_does_is_completed_where_blue_was_rejected(
    patch: pytest.MonkeyPatch, error: str
) -> None:
    world = baking(patch)
    world.approvals[2] = "Rejected"

    world.stop(world.running()[0].arn, error, "ann: no")
    rest(world)

    assert packages(world) == {arn_of(3): 1.0, arn_of(2): 0.0}
    assert (world.stages[3], set(world.scales.values())) == ("InService", {True})


def test_a_fault_of_awss_during_the_bake_completes_it_too_where_blue_was_rejected(patch: pytest.MonkeyPatch) -> None:
    world = baking(patch)
    world.approvals[2], execution = "Rejected", world.running()[0]

    world.throttled = True
    go(world, execution)

    assert (execution.status, execution.cause) == (
        "FAILED",
        "Rate exceeded; churn version 3 serves all traffic, as churn version 2 was rejected; its release is completed",
    )
    rest(world)
    assert (packages(world)[arn_of(3)], world.stages[3]) == (1.0, "InService")


@pytest.mark.parametrize(("rejects", "serves"), [(False, 2), (True, 1)])
def test_a_rejected_blue_that_gets_the_traffic_of_a_green_that_is_worse_is_rolled_back_next(
    patch: pytest.MonkeyPatch, *, rejects: bool, serves: int
) -> None:
    world = baking(patch)
    if rejects:
        world.reject(2)
        go(world, world.running()[-1])

    world.ring("alarm-a")
    world.ringing.clear()
    rest(world)

    assert [arn for arn, weight in packages(world).items() if weight > 0] == [arn_of(serves)]
    assert world.approvals[3] == "Rejected"


@pytest.mark.parametrize("named", [{"model_package_arn": arn_of(3)}, {}], ids=["by its name", "without a name"])
def test_a_rollback_by_hand_onto_a_rejected_blue_is_followed_by_that_ones(
    patch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    world = baking(patch)
    world.reject(2)
    go(world, world.running()[-1])

    by_hand = world.start("by-hand", action="rollback", who="ann", reason="it is slow", **named)
    go(world, world.executions[by_hand])
    rest(world)

    assert [arn for arn, weight in packages(world).items() if weight > 0] == [arn_of(1)]
    assert world.approvals[3] == "Rejected"


def test_a_fault_in_the_finishing_leaves_green_and_the_turn_to_the_next_where_blue_was_rejected(
    patch: pytest.MonkeyPatch,
) -> None:
    world = baking(patch)
    (execution,) = world.running()
    go(world, execution, until="RegisterScaling")
    world.approvals[2] = "Rejected"

    world.throttled = True
    go(world, execution)

    assert execution.status == "FAILED"
    assert (packages(world)[arn_of(3)], lock.holder(ENDPOINT)) == (1.0, None)


def test_a_version_that_somebody_rejected_and_an_alarm_ended_is_not_rejected_twice(
    world: World, patch: pytest.MonkeyPatch
) -> None:
    release(world, 2, until="WaitToLook")
    rejected = rejections(world, patch)

    world.approvals[2] = "Rejected"
    world.ring("alarm-b")
    rest(world)

    assert is_back(world)
    assert rejected == []


@pytest.mark.parametrize("state", ["SuspendScaling", "BringUpGreen", "TestGreen", "CreateSharedConfiguration"])
def test_an_alarm_of_the_business_before_green_has_traffic_blames_nobody(world: World, state: str) -> None:
    execution = release(world, 2, until=state)

    world.ring("orders")
    rest(world)

    assert (execution.status, execution.error) == ("ABORTED", "Release.EarlyAlarm")
    assert execution.cause == (
        "orders: too many errors; no caller has met churn version 2 yet, so it is not to blame: start its release "
        "again when the alarm is over"
    )
    assert is_back(world)
    assert world.approvals[2] == "Approved"

    world.ringing.clear()
    serving(world, 2)


@pytest.mark.parametrize("strategy", [STRATEGY, SHADOW], ids=["in steps", "as a shadow first"])
def test_an_alarm_of_the_business_that_rang_before_a_release_ends_it_before_green_has_traffic(
    patch: pytest.MonkeyPatch, strategy: Strategy
) -> None:
    world = begun(patch, strategy)
    world.ringing.add("orders")  # it went off long ago: no event comes

    execution = world.executions[world.approve(2)]
    go(world, execution)

    assert execution.status == "FAILED"
    assert "in alarm: orders; no caller has met churn version 2 yet" in execution.cause
    assert "BringUpGreen" not in execution.visited
    assert is_back(world)
    assert world.approvals[2] == "Approved"


def test_a_shadow_is_not_blamed_for_what_callers_feel(patch: pytest.MonkeyPatch) -> None:
    world = begun(patch, SHADOW)
    execution = release(world, 2, until="WaitToLook")

    world.ringing.add("orders")
    go(world, execution)

    assert (execution.status, execution.error) == ("FAILED", "Look")
    assert "no caller has met churn version 2 yet" in execution.cause
    assert world.approvals[2] == "Approved"


@pytest.mark.parametrize("alarm", ["orders", "alarm-b"])
def test_an_alarm_once_green_has_traffic_rejects_it(world: World, alarm: str) -> None:
    execution = release(world, 2, until="WaitToLook")

    world.ring(alarm)
    rest(world)

    assert (execution.status, execution.error) == ("ABORTED", "Release.Alarm")
    assert is_back(world)
    assert world.approvals[2] == "Rejected"


def test_an_alarm_on_green_itself_rejects_it_before_it_has_traffic_too(world: World) -> None:
    release(world, 2, until="TestGreen")

    world.ring("alarm-b")
    rest(world)

    assert is_back(world)
    assert world.approvals[2] == "Rejected"


def test_a_rollback_goes_on_although_the_business_rings(patch: pytest.MonkeyPatch) -> None:
    """It is what people do when it rings: the version before is released again, as blue is gone."""
    world = begun(patch, STRATEGY.with_(retention=timedelta(0)))
    serving(world, 2)
    world.ring("orders")

    world.start(action="rollback", who="ann", reason="no orders come in")
    rest(world)

    assert {one.package for one in world.fleet.values() if one.weight > 0} == {arn_of(1)}
    assert world.stages == {1: "InService", 2: "Retired"}


def test_a_version_that_must_not_stay_and_that_nothing_can_follow_scales_meanwhile(patch: pytest.MonkeyPatch) -> None:
    world = begun(patch, Strategy.shadow(50, retention=timedelta(0), supersede=True, **WINDOW))
    release(world, 2, until="WaitForRetirement")
    world.approvals[1] = "Rejected"  # so that no rollback finds a version

    world.settle(well=True)
    world.ring("alarm-b")
    world.ringing.clear()
    rest(world)

    assert {one.package: one.weight for one in world.fleet.values()} == {arn_of(2): 1.0}
    assert lock.holder(ENDPOINT) is None
    assert world.scales == dict.fromkeys(world.fleet, True)


def test_a_version_whose_release_ended_when_blue_was_gone_scales(patch: pytest.MonkeyPatch) -> None:
    world = begun(patch, Strategy.shadow(50, retention=timedelta(0), supersede=True, **WINDOW))
    execution = release(world, 2, until="WaitForRetirement")

    world.settle(well=True)
    world.step(execution)
    world.throttled = True  # as often as the machine asks
    world.step(execution)
    rest(world)

    assert execution.status == "FAILED"
    assert {one.package: one.weight for one in world.fleet.values()} == {arn_of(2): 1.0}
    assert world.scales == dict.fromkeys(world.fleet, True)
