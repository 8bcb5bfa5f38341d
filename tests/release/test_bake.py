"""Does green scale while it bakes, and does blue get back what it then needs?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mlplatform_cdk.release.blue_green.runtime import lock
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.model.scene import go, release, rest, serving
from tests.release.model.world import ENDPOINT, World

STRATEGY = Strategy.canary(20, observe=timedelta(seconds=20), bake=timedelta(hours=24))
IN_BAKE = "WaitToLook"


@pytest.fixture
def world() -> Iterator[World]:
    """Version 1 serves on ``a``."""
    with pytest.MonkeyPatch.context() as patch:
        made = World(strategy=STRATEGY)
        made.install(patch)
        serving(made, 1)
        yield made


def baking(world: World) -> str:
    """Version 2 in its bake, on three instances where there was one."""
    execution = release(world, 2, until="LetGreenScale")
    assert world.scales == {"a": False}, "scaling stands still until all requests are green's"
    go(world, execution, until=IN_BAKE)
    for _ in range(2):
        world.scale()
        world.settle(well=True)
    assert (world.fleet["b"].count, world.fleet["a"].count) == (3, 1)
    return execution.arn


def weights_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every change of weights from now on."""
    asked: list[object] = []
    change = world.update_endpoint_weights_and_capacities

    def told(**parameters: object) -> None:
        change(**parameters)
        asked.append(parameters["DesiredWeightsAndCapacities"])

    monkeypatch.setattr(world, "update_endpoint_weights_and_capacities", told)
    return asked


def test_green_scales_during_its_bake_and_after_it_and_blue_no_more(world: World) -> None:
    execution = world.executions[baking(world)]

    go(world, execution)

    assert execution.status == "SUCCEEDED"
    assert world.scales == {"b": True}
    assert (world.fleet["b"].count, world.fleet["a"].count) == (3, 1)


def test_the_end_of_a_bake_waits_for_what_scaling_has_begun(world: World) -> None:
    execution = world.executions[baking(world)]
    go(world, execution, until="HoldStill")
    world.scale()

    for _ in range(7):  # HoldStill and IsStill, and back from the wait
        world.step(execution)
    assert execution.state in ("HoldStill", "IsStill", "WaitForStillness")
    go(world, execution)

    assert execution.status == "SUCCEEDED"
    assert world.fleet["b"].count == 4


def test_a_bake_that_fails_gives_blue_the_instances_that_green_has_by_then_in_the_same_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution, asked = world.executions[baking(world)], weights_asked(world, monkeypatch)
    world.verdict = False

    go(world, execution)

    assert execution.status == "FAILED"
    assert asked == [
        [
            {"VariantName": "a", "DesiredWeight": 1.0, "DesiredInstanceCount": 3},
            {"VariantName": "b", "DesiredWeight": 0.0},
        ]
    ]
    assert (world.scales, world.fleet["a"].count) == ({"a": True}, 3)


def test_an_alarm_takes_the_traffic_at_once_and_the_way_back_adds_the_instances(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    baking(world)
    asked = weights_asked(world, monkeypatch)

    world.ring("alarm-b")
    assert (world.fleet["a"].weight, world.fleet["a"].count) == (1.0, 1)
    rest(world)

    assert asked[1] == [
        {"VariantName": "a", "DesiredWeight": 1.0, "DesiredInstanceCount": 3},
        {"VariantName": "b", "DesiredWeight": 0.0},
    ]
    assert (world.scales, world.fleet["a"].count) == ({"a": True}, 3)


def test_a_release_that_dies_in_its_bake_while_green_scales_leaves_no_scaling_but_blues(world: World) -> None:
    arn = baking(world)
    world.scale()

    world.stop(arn, "", "a fault of the machine's")
    assert world.status == "Updating"
    rest(world)

    assert lock.holder(ENDPOINT) is None
    assert (world.scales, world.approvals[2]) == ({"a": True}, "Approved")
    assert (world.fleet["a"].weight, world.fleet["a"].count) == (1.0, 4)


def test_who_waits_for_green_to_end_its_scaling_lets_it_begin_no_more(world: World) -> None:
    execution = world.executions[baking(world)]
    world.scale()
    world.verdict = False

    while execution.state != "WaitForWayBack":
        world.step(execution)

    assert (world.status, world.fleet["b"].weight) == ("Updating", 1.0)
    assert world.scales == {"a": False}
