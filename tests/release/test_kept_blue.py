"""Does a release that begins beside a kept blue find its way back, whatever fails on it?"""

from datetime import timedelta

import pytest

from mlplatform_cdk.runtimekit.release_strategy import Strategy, VerdictRules
from tests.release.model.scene import go, release, rest, serving
from tests.release.model.surroundings import arn_of
from tests.release.model.world import World

STRATEGY = Strategy.canary(
    20,
    observe=timedelta(seconds=10),
    bake=timedelta(0),
    retention=timedelta(days=7),
    rules=VerdictRules(without_enough_requests="pass"),
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Version 2 serves, and version 1 is kept beside it."""
    made = World(strategy=STRATEGY)
    made.install(monkeypatch)
    serving(made, 1)
    serving(made, 2)
    assert len(made.fleet) == 2
    return made


@pytest.mark.parametrize("state", ["CreateBlueConfiguration", "RestoreConfiguration", "WaitForWayBack"])
def test_a_call_on_the_way_back_that_fails_is_made_again(world: World, state: str) -> None:
    third = release(world, 3, until="TestGreen")
    world.wrong.add(3)
    go(world, third, until=state)
    world.throttled = True

    rest(world)

    assert third.status == "FAILED"
    assert {name: one.package for name, one in world.fleet.items()} == {"b": arn_of(2)}
    assert world.configuration.endswith("-blue")
    assert third.visited.count("CreateBlueConfiguration") == (2 if state != "WaitForWayBack" else 1)
