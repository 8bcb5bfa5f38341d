"""What becomes of a release when something else comes between two of its steps?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.model.scene import go, release, rest, serving
from tests.release.model.surroundings import arn_of
from tests.release.model.world import World

STRATEGY = Strategy.canary(20, observe=timedelta(seconds=40), bake=timedelta(0))


@pytest.fixture
def world() -> Iterator[World]:
    """Version 1 serves on ``a``."""
    with pytest.MonkeyPatch.context() as patch:
        made = World(strategy=STRATEGY)
        made.install(patch)
        serving(made, 1)
        yield made


@pytest.mark.parametrize("state", ["Preflight", "SuspendScaling"])
def test_a_blue_that_scales_after_the_plan_is_waited_for_and_keeps_what_it_has(world: World, state: str) -> None:
    serving(world, 2)  # and the first is kept in the next green's place
    execution = release(world, 3, until=state)
    for _ in range(2):
        world.scale()
        world.settle(well=True)
    world.scale()
    before = {name: one.count for name, one in world.fleet.items() if one.weight > 0}

    for _ in range(30):  # blue's instances are coming up
        if execution.state == "BringUpGreen":
            break
        world.step(execution)
    go(world, execution, until="ShiftTraffic")

    counts = {name: one.count for name, one in world.fleet.items()}
    assert execution.state == "ShiftTraffic"
    assert counts == dict.fromkeys(counts, max(before.values()))
    rest(world)
    assert world.approvals[3] == "Approved"


def test_a_rejection_that_was_a_wrong_click_rolls_nothing_back(world: World) -> None:
    serving(world, 2)
    world.reject(2)
    world.approvals[2] = "Approved"

    rest(world)

    assert world.stages[2] == "InService"
    assert {one.package for one in world.fleet.values() if one.weight > 0} == {arn_of(2)}


def test_a_look_whose_answer_was_lost_and_that_sees_more_the_second_time_has_both_records(world: World) -> None:
    execution = release(world, 2, until="Look")
    world.call("lambda:invoke", execution._filled(execution.states["Look"]["Parameters"]))
    world.verdict = False

    go(world, execution)

    assert (execution.status, execution.error) == ("FAILED", "Look")
    assert [said for (_, step, _), said in world.records.items() if step == "Look"] == ["look again", "go back"]
