"""Do drills and releases wait for one another?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.release.blue_green.runtime import lock, lock_rows
from mlplatform_cdk.resilience.chaos.runtime import holding
from tests.release.table import EARLY, ENDPOINT, ONE, TABLE, world

DRILL = {"TableName": TABLE, "EndpointName": ENDPOINT, "Seconds": "3300", "Owner": "drill-1"}


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with world(monkeypatch):
        yield


def release() -> lock.Taken:
    return lock.take(ENDPOINT, ONE, "version", asked=EARLY)


def test_a_release_waits_for_the_end_of_a_drill() -> None:
    holding.hold(DRILL, None)

    assert (release().held, release().holder) == (False, "drill-1")
    holding.let_go(DRILL, None)
    assert release().held


def test_a_drill_does_not_begin_while_a_release_has_the_endpoint_or_waits_for_it() -> None:
    release()

    with pytest.raises(RuntimeError, match=f"no release may run or be left to recover .*, got the release of {ONE}"):
        holding.hold(DRILL, None)

    lock.free(ENDPOINT, ONE)
    lock_rows.write(ENDPOINT, _waiting(), anyway=True)
    with pytest.raises(RuntimeError, match="no release may run"):
        holding.hold(DRILL, None)


def _waiting() -> lock_rows.Row:
    at = lock_rows.place(ONE, EARLY, urgent=False)
    return lock_rows.Row(at=at, owner=ONE, version="", action=lock.RELEASE, since=datetime.now(tz=UTC))


def test_of_two_drills_one_begins_and_a_step_that_is_run_again_is_the_same_drill() -> None:
    holding.hold(DRILL, None)
    holding.hold(DRILL, None)

    with pytest.raises(RuntimeError, match="got the drill of drill-1"):
        holding.hold({**DRILL, "Owner": "drill-2"}, None)
    assert holding.let_go({**DRILL, "Owner": "drill-2"}, None) == {"LetGo": "it was another's"}
    assert not release().held


def test_a_release_that_came_between_the_look_and_the_row_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_is_over", lambda _row, _now: True)
    monkeypatch.setattr(holding, "_holder", lambda _rows: "")
    release()

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        holding.hold(DRILL, None)


def test_a_drill_mends_only_while_no_other_has_the_lock_and_holds_it_anew() -> None:
    holding.hold({**DRILL, "Seconds": "-1"}, None)

    holding.hold_on(DRILL, None)

    assert not release().held
    holding.let_go(DRILL, None)
    assert release().held
    with pytest.raises(RuntimeError, match="drill-1 must still hold dev-churn to mend it, and another has it by now"):
        holding.hold_on(DRILL, None)
    assert _held().owner == ONE


def test_what_could_not_be_mended_in_time_is_mended_later_although_a_release_waits() -> None:
    holding.hold({**DRILL, "Seconds": "-1"}, None)
    lock_rows.write(ENDPOINT, _waiting(), anyway=True)

    holding.hold_on({**DRILL, "Owner": "drill-2"}, None)

    assert _held().owner == "drill-2"


def test_a_drill_that_could_not_let_go_leaves_nothing_to_bring_back_and_is_over_some_day() -> None:
    holding.hold({**DRILL, "Seconds": "-1"}, None)

    assert lock.status_of(_held()) == "GONE"
    holding.hold({**DRILL, "Owner": "drill-2"}, None)
    assert _held().owner == "drill-2"
    assert datetime.now(tz=UTC) + timedelta(minutes=54) < (_held().until or datetime.min.replace(tzinfo=UTC))
    holding.let_go({**DRILL, "Owner": "drill-2"}, None)
    holding.hold({**DRILL, "Seconds": "-1"}, None)
    taken = release()
    assert (taken.held, taken.debt) == (True, None)


def _held() -> lock_rows.Row:
    row = lock.holder(ENDPOINT)
    assert row is not None
    return row
