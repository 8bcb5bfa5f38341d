"""Does an execution that goes on after it has lost its turn, as a redriven one does, leave the endpoint alone?"""

from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import calling, handler, live, lock, retiring, scaling
from mlplatform_cdk.release.blue_green.runtime.handler import handle
from mlplatform_cdk.release.blue_green.runtime.lock import LockLost
from mlplatform_cdk.runtimekit import release_records
from tests.release.table import EARLY, ENDPOINT, LATER, ONE, TABLE, TWO, States, world
from tests.release.worlds import GROUP, plan_for, variant
from tests.release.worlds import live as endpoint_of

BEFORE = endpoint_of(variant("a", 1))
PLAN = plan_for(2, BEFORE) | {"package_arn": f"{GROUP}/2"}
LOST = f"{ONE} must hold the lock of {ENDPOINT} to go on, and {TWO} does; start the release again"
RELEASED: dict[str, Any] = {"as": "Released", "decision": "it serves all traffic", "percent": 100.0}
LOOKING = ("enter", "watch", "go_back", "settle", "conclude", "leave")


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    """A release that was stopped, and whose recovery has the endpoint now."""
    with world(monkeypatch) as made:
        lock.take(ENDPOINT, ONE, f"{GROUP}/2", asked=EARLY)
        lock.keep(ENDPOINT, ONE, PLAN)
        made.end(ONE)
        lock.take(ENDPOINT, TWO, "", action=lock.RECOVER, asked=LATER, urgent=True)
        yield made


@pytest.fixture(autouse=True)
def touched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was changed."""
    made: list[str] = []
    monkeypatch.setattr(calling, "CALLS", dict.fromkeys(calling.CALLS, lambda _: made.append("a call")))
    for module, names in ((scaling, ("suspend", "remove", "restore")), (retiring, ("delete",))):
        for name in names:
            monkeypatch.setattr(module, name, lambda *_, name=name: made.append(name))
    monkeypatch.setattr(live, "read_endpoint", lambda _name: BEFORE)
    monkeypatch.setattr(release_records, "_tell", lambda _record: None)
    return made


def go_on(step: str, execution: str = ONE, **payload: Any) -> dict[str, Any]:
    request = {"model_package_arn": f"{GROUP}/2"}
    told = {"endpoint_name": ENDPOINT, "request": request, "plan": PLAN, "goes_on": False, **payload}
    return handle({"step": step, "execution_arn": execution, **told}, None)


def decisions(execution: str) -> list[str]:
    return [f"{one.step}: {one.decision}" for one in release_records.history(TABLE, ENDPOINT, execution)]


def test_nothing_is_touched_and_the_reason_says_whose_turn_it_is(touched: list[str]) -> None:
    for step in {*handler.STEPS} - {*LOOKING}:
        with pytest.raises(LockLost) as lost:
            go_on(step, call="sagemaker:updateEndpoint", parameters={})
        assert str(lost.value) == LOST

    assert touched == []
    assert decisions(ONE) == []


def test_its_way_back_goes_nowhere_and_says_so(touched: list[str]) -> None:
    failure = {"ShiftTraffic": {"Error": "LockLost", "Cause": LOST}}
    back = go_on("go_back", failure=failure, looks=0, tries=0, most_looks=120)
    go_on("settle", back=back)

    assert (back["way"], back["reject"]) == ("done", False)
    assert back["sentence"] == f"{LOST}; this execution does not hold the endpoint any more, and leaves it as it is"
    assert touched == []
    assert decisions(ONE) == ["WayBack: left as it is"]
    row = lock.holder(ENDPOINT)
    assert row is not None
    assert row.owner == TWO


def test_it_does_not_call_another_ones_end_its_own() -> None:
    with pytest.raises(LockLost):
        go_on("conclude", **RELEASED)

    assert decisions(ONE) == []


def test_an_end_whose_answer_was_lost_is_the_same_end_when_it_is_told_again() -> None:
    lock.keep(ENDPOINT, TWO, {})  # it has brought back what was left

    for _ in range(2):
        go_on("conclude", TWO, **RELEASED)

    assert decisions(TWO) == ["Released: it serves all traffic"]
    assert lock.holder(ENDPOINT) is None


def test_one_that_still_has_its_turn_goes_on(touched: list[str]) -> None:
    go_on("call", TWO, call="sagemaker:updateEndpoint", parameters={})

    assert touched == ["a call"]
