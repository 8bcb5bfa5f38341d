"""Does one release at a time hold its endpoint, and does the hold end with the release?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import lock, lock_rows
from tests.release.table import EARLY, ENDPOINT, LAST, LATER, ONE, THREE, TWO, States, world

PLAN = {"green": {"variant": "b"}, "share": 0.2}


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    with world(monkeypatch) as made:
        yield made


def test_a_free_lock_is_taken_and_taking_it_again_changes_nothing() -> None:
    first, again = (lock.take(ENDPOINT, ONE, "v1", asked=EARLY) for _ in range(2))

    assert first == again == lock.Taken(held=True, holder=ONE)
    assert [row.owner for row in lock_rows.read(ENDPOINT)] == [ONE]


def test_the_locks_of_two_endpoints_are_two() -> None:
    assert lock.take(ENDPOINT, ONE, "v1").held
    assert lock.take("other", TWO, "v2").held


def test_a_newer_release_waits_until_the_older_one_lets_go() -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)

    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER) == lock.Taken(held=False, holder=ONE)
    assert lock.free(ENDPOINT, ONE)
    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER) == lock.Taken(held=True, holder=TWO)


def test_those_that_wait_go_in_the_order_in_which_they_were_started() -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.take(ENDPOINT, THREE, "v3", asked=LAST)
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    lock.free(ENDPOINT, ONE)

    assert lock.take(ENDPOINT, THREE, "v3", asked=LAST) == lock.Taken(held=False, holder=TWO)
    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER).held


def test_a_way_back_goes_before_all_that_wait() -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    assert not lock.take(ENDPOINT, THREE, "", action=lock.ROLLBACK, asked=LAST, urgent=True).held
    lock.free(ENDPOINT, ONE)

    assert not lock.take(ENDPOINT, TWO, "v2", asked=LATER).held
    assert lock.take(ENDPOINT, THREE, "", action=lock.ROLLBACK, asked=LAST, urgent=True).held


def test_one_that_died_waiting_holds_nobody_up(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    lock.free(ENDPOINT, ONE)
    states.end(TWO, "ABORTED")

    assert lock.take(ENDPOINT, THREE, "v3", asked=LAST).held
    assert [row.owner for row in lock_rows.read(ENDPOINT)] == [THREE]


@pytest.mark.parametrize("ended", ["ABORTED", "FAILED", "TIMED_OUT"])
def test_the_lock_dies_with_its_holder_and_says_what_that_left(states: States, ended: str) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.keep(ENDPOINT, ONE, PLAN)
    states.end(ONE, ended)

    taken = lock.take(ENDPOINT, TWO, "v2", asked=LATER)

    assert taken.held
    assert taken.debt == lock_rows.Debt(plan=PLAN, by=ONE, version="v1", action=lock.RELEASE)
    assert taken.left == PLAN


def test_a_release_that_ended_well_and_could_not_let_go_is_not_brought_back(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.keep(ENDPOINT, ONE, PLAN)
    states.end(ONE, "SUCCEEDED")

    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER) == lock.Taken(held=True, holder=TWO)


def test_a_holder_that_died_before_it_planned_left_nothing(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    states.end(ONE, "ABORTED")

    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER) == lock.Taken(held=True, holder=TWO)


def test_what_was_left_is_said_until_it_is_brought_back_even_if_the_next_one_dies_too(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.keep(ENDPOINT, ONE, PLAN)
    states.end(ONE, "ABORTED")
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER).left == PLAN  # the answer got lost, and it asks again
    states.end(TWO, "TIMED_OUT")

    taken = lock.take(ENDPOINT, THREE, "v3", asked=LAST)
    assert taken.debt is not None
    assert (taken.left, taken.debt.by) == (PLAN, ONE)

    lock.keep(ENDPOINT, THREE, {"green": {"variant": "a"}})
    assert lock.take(ENDPOINT, THREE, "v3", asked=LAST) == lock.Taken(held=True, holder=THREE)


def test_who_lost_the_lock_can_neither_keep_nor_free_it(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    states.end(ONE, "ABORTED")
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)

    with pytest.raises(lock.LockLost, match=r"Release:one must hold the lock of dev-churn.*Release:two does"):
        lock.keep(ENDPOINT, ONE, PLAN)
    assert not lock.free(ENDPOINT, ONE)
    assert lock.must_hold(ENDPOINT, TWO).version == "v2"


def test_of_two_that_take_over_at_once_one_gets_it(states: States, monkeypatch: pytest.MonkeyPatch) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    states.end(ONE, "ABORTED")
    write = lock_rows.write

    def late(endpoint: str, row: lock_rows.Row, **condition: Any) -> bool:
        if row.at == lock_rows.ROW and row.owner == TWO:  # just before, the other one gets it
            assert write(endpoint, replace(row, owner=THREE), **condition)
        return write(endpoint, row, **condition)

    monkeypatch.setattr(lock_rows, "write", late)

    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER) == lock.Taken(held=False, holder=THREE)


def test_an_execution_that_is_not_found_is_dead_only_when_it_is_no_newborn(states: States) -> None:
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    del states.executions[ONE]

    assert not lock.take(ENDPOINT, TWO, "v2", asked=LATER).held
    row = lock.holder(ENDPOINT)
    assert row is not None
    lock_rows.write(ENDPOINT, replace(row, since=row.since - timedelta(minutes=6)), anyway=True)
    assert lock.take(ENDPOINT, TWO, "v2", asked=LATER).held
