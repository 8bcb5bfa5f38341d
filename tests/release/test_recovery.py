"""What do those do who find the endpoint taken, and what does an execution's end say about its version?"""

from dataclasses import replace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import lock_rows, stopping
from mlplatform_cdk.release.blue_green.runtime.lock_rows import ROW, Row
from mlplatform_cdk.release.blue_green.runtime.recovery import Instead, instead
from tests.release.table import ONE, TWO

V1, V2 = "…:model-package/churn/1", "…:model-package/churn/2"


def holder(action: str = "release", version: str = V1) -> Row:
    return Row(at=ROW, owner=ONE, version=version, action=action, since=lock_rows.now())


def find(row: Row | None, *, supersede: bool = False, **request: Any) -> Instead:
    return instead(request, row, supersede=supersede)


def test_another_version_waits_for_the_release_that_runs() -> None:
    assert find(holder(), model_package_arn=V2) == Instead(way="wait", why=f"{ONE} has the endpoint for its release")


@pytest.mark.parametrize(("by", "way"), [("approval", "nothing"), ("train", "wait"), ("", "wait")])
def test_who_asks_for_a_version_that_is_being_released_waits_for_its_end_and_an_event_does_not(
    by: str, way: str
) -> None:
    found = find(holder(), model_package_arn=V1, supersede=True, by=by)

    assert found == Instead(way=way, why=f"{ONE} releases the same version already")


@pytest.mark.parametrize(
    ("strategy", "asked", "ends"),
    [
        pytest.param(True, {}, True, id="by the strategy"),
        pytest.param(False, {"supersede": True}, True, id="by who asks"),
        pytest.param(True, {"supersede": False}, False, id="not this time"),
        pytest.param(False, {}, False, id="not at all"),
    ],
)
def test_a_newer_version_ends_the_running_release_only_where_it_may(
    *, strategy: bool, asked: dict[str, Any], ends: bool
) -> None:
    found = instead({"model_package_arn": V2, **asked}, holder(), supersede=strategy)

    assert (found.way, found.ends_by) == ("wait", "Release.Superseded" if ends else "")


@pytest.mark.parametrize("action", ["rollback", "recover", "retire"])
def test_a_newer_version_ends_no_way_back_and_no_retirement(action: str) -> None:
    found = find(holder(action, ""), model_package_arn=V2, supersede=True)

    assert (found.way, found.ends_by) == ("wait", "")


@pytest.mark.parametrize(
    ("action", "ends_by"), [("release", "Release.RolledBack"), ("recover", ""), ("rollback", ""), ("retire", "")]
)
def test_a_rollback_ends_a_release_and_waits_for_all_else(action: str, ends_by: str) -> None:
    found = find(holder(action), action="rollback")

    assert (found.way, found.ends_by) == ("wait", ends_by)


@pytest.mark.parametrize(("meant", "ends_by"), [(V1, "Release.RolledBack"), (V2, "Release.Superseded")])
def test_a_rollback_blames_the_version_that_it_means_and_no_other_that_is_being_released(
    meant: str, ends_by: str
) -> None:
    found = find(holder(), action="rollback", model_package_arn=meant)

    assert (found.way, found.ends_by) == ("wait", ends_by)


def rolling_back(way: str, **plan: Any) -> Row:
    """A rollback that runs."""
    return replace(holder("rollback"), plan={"way": way, "green": {}, **plan})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(holder("rollback"), id="before it has planned"),
        pytest.param(rolling_back("rollback", package_arn=V1), id="by the weights"),
        pytest.param(rolling_back("beside", package_arn=V2, blue={"package_arn": V1}), id="by a release"),
    ],
)
@pytest.mark.parametrize(("by", "way"), [("rejection", "nothing"), ("recovery", "nothing"), ("train", "wait")])
def test_a_second_rollback_of_one_version_waits_for_the_first_unless_an_event_began_it(
    row: Row, by: str, way: str
) -> None:
    """As when the first one rejects the live version, which is an event that starts another one."""
    found = find(row, action="rollback", model_package_arn=V1, by=by)

    assert found == Instead(way=way, why=f"{ONE} rolls it back already")


def test_a_rollback_of_the_version_that_a_rollback_brings_ends_that_release() -> None:
    row = rolling_back("beside", package_arn=V2, blue={"package_arn": V1})

    found = find(row, action="rollback", model_package_arn=V2)

    assert (found.way, found.ends_by) == ("wait", "Release.RolledBack")


def test_a_recovery_waits_for_its_dead_one_and_leaves_others_alone() -> None:
    assert find(holder(), action="recover", execution_arn=ONE).way == "wait"
    assert find(holder(), action="recover", execution_arn=TWO).way == "nothing"


def test_who_is_not_the_first_in_line_waits() -> None:
    assert find(None, model_package_arn=V2) == Instead(way="wait", why="an older execution goes first")


@pytest.mark.parametrize("error", ["Release.Aborted", "Release.Alarm", "Release.RolledBack", "Release.Superseded"])
def test_an_end_that_somebody_decided_keeps_its_name_and_its_words(error: str) -> None:
    found = {"status": "ABORTED", "error": error, "cause": "anna: too slow"}

    assert stopping.told(found) == {"Error": error, "Cause": "anna: too slow"}


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ({"status": "ABORTED"}, "it was interrupted (ABORTED)"),
        ({"status": "TIMED_OUT", "error": "States.Timeout"}, "it was interrupted (TIMED_OUT): States.Timeout"),
        (
            {"status": "FAILED", "error": "States.Runtime", "cause": "no such path"},
            "it was interrupted (FAILED): States.Runtime: no such path",
        ),
    ],
)
def test_an_end_that_nobody_decided_is_an_interruption(found: dict[str, str], cause: str) -> None:
    assert stopping.told(found) == {"Error": "Release.Interrupted", "Cause": cause}
