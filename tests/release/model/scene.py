"""One release after the other on the world in memory, up to the state that a test is about."""

from typing import Any

from tests.release.model.interpreter import RUNNING, Execution
from tests.release.model.world import World

_CHANGING = ("Creating", "Updating", "Deleting")
_MOST = 4000


def serving(world: World, number: int) -> None:
    """A version that has all the traffic."""
    world.approve(number)
    rest(world)
    assert world.stages[number] == "InService"


def release(world: World, number: int, *, until: str, **given: Any) -> Execution:
    """A release that stands before the state ``until``."""
    execution = world.executions[world.approve(number, **given)]
    go(world, execution, until=until)
    assert execution.state == until, f"it ended before {until}: {execution.visited[-9:]}"
    return execution


def go(world: World, execution: Execution, *, until: str = "") -> None:
    """Let an execution run until it stands before ``until`` or has ended; changes end well, and people say yes."""
    for _ in range(_MOST):
        if execution.waits_for == "person":
            execution.answer()
        if execution.state == until or execution.status != RUNNING or execution.waits_for:
            return
        if world.status in _CHANGING:
            world.settle(well=True)
        world.step(execution)


def rest(world: World) -> None:
    """Let everything come to its end, but for who keeps blue."""
    while world.running() or world.ended:
        for execution in world.running():
            go(world, execution)
        while world.ended:
            world.hear_of_end()
