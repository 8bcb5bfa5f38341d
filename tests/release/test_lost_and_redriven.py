"""Whichever call's answer is lost, and whichever state a dead release is let go on in: does it all end well?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy
from tests.release.model.interpreter import Execution
from tests.release.model.scene import go, release, rest, serving
from tests.release.model.world import World

STRATEGY = Strategy.canary(20, gates=(Gate(20),), observe=timedelta(seconds=20), bake=timedelta(seconds=20))


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


def begun(patch: pytest.MonkeyPatch) -> World:
    """Version 1 serves."""
    made = World(strategy=STRATEGY)
    made.install(patch)
    serving(made, 1)
    return made


def whole(patch: pytest.MonkeyPatch) -> tuple[World, Execution]:
    """A release of version 2 that nothing disturbs."""
    world = begun(patch)
    execution = world.executions[world.approve(2)]
    go(world, execution)
    assert execution.status == "SUCCEEDED"
    return world, execution


def after(execution: Execution, first: str) -> list[str]:
    """The states that an execution has visited, from one of them on."""
    visited = list(dict.fromkeys(execution.visited))
    return visited[visited.index(first) :]


def test_a_release_loses_any_answer_and_goes_on(patch: pytest.MonkeyPatch) -> None:
    world, execution = whole(patch)
    calls = [one for one in after(execution, "Plan") if makes_call(world, one)]
    assert {"CreateModel", "BringUpGreen", "ShiftTraffic", "ScaleDownBlue", "ScaleByTraffic"} <= {*calls}

    for state in calls:
        world = begun(patch)
        execution = release(world, 2, until=state)
        world.deaf = True
        go(world, execution)

        assert (state, execution.status, world.deaf) == (state, "SUCCEEDED", False)


def makes_call(world: World, state: str) -> bool:
    return bool(world.definition["States"][state].get("Parameters", {}).get("Payload", {}).get("step") == "call")


def test_a_dead_release_that_is_let_go_on_while_another_one_runs_touches_nothing(patch: pytest.MonkeyPatch) -> None:
    _, execution = whole(patch)
    states = after(execution, "IsThereAModel")
    assert {"ShiftTraffic", "Look", "AskPerson", "MarkProduction", "Conclude"} <= {*states}

    for state in states[: states.index("Conclude") + 1]:
        world = begun(patch)
        dead = release(world, 2, until=state)
        world.stop(dead.arn, "", "")
        rest(world)
        other = release(world, 3, until="AskPerson")
        before = told(world)

        world.redrive(dead.arn)
        go(world, dead)

        assert (state, told(world)) == (state, before)
        assert (state, dead.status) == (state, "FAILED")
        go(world, other)
        assert (state, other.status, world.stages[3]) == (state, "SUCCEEDED", "InService")


def told(world: World) -> dict[str, object]:
    """All that a release may change."""
    fleet = {name: (one.package, one.weight, one.count) for name, one in world.fleet.items()}
    made = (sorted(world.models), sorted(world.configurations))
    registry = (dict(world.approvals), dict(world.stages))
    return {"fleet": fleet, "made": made, "registry": registry, "now": (world.status, world.configuration)}


def test_an_execution_that_plans_twice_writes_both_plans_down(patch: pytest.MonkeyPatch) -> None:
    """As where it finds an endpoint that never came up, and deletes it first."""
    world = World(strategy=STRATEGY)
    world.install(patch)
    world.status = "Failed"

    execution = world.executions[world.approve(1)]
    go(world, execution)

    planned = [decision for (release, step, _), decision in world.records.items() if step == "Plan"]
    assert (planned, execution.status) == (["clear", "first"], "SUCCEEDED")
