"""Who gets the turn of an endpoint, who waits, who ends whom, and who has nothing to do?"""

from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.release.ab_test.runtime import lock as ab_test_lock
from mlplatform_cdk.release.blue_green.runtime import lock, lock_rows
from mlplatform_cdk.release.blue_green.runtime.entering import enter
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from tests.release.table import EARLY, ENDPOINT, LAST, LATER, ONE, THREE, TWO, States, world

V1, V2 = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1", "…:model-package/churn/2"
STARTED = {ONE: EARLY, TWO: LATER, THREE: LAST}


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    with world(monkeypatch) as made:
        yield made


def come(execution: str, *, by_strategy: bool = False, **request: Any) -> dict[str, Any]:
    """What ``execution``, started with this input, is told."""
    return enter(
        {
            "execution_arn": execution,
            "endpoint_name": ENDPOINT,
            "request": request,
            "started": STARTED[execution],
            "looks": 0,
            "most_looks": 500,
            "supersede": by_strategy,
            "done": False,
        }
    )


def test_the_first_release_goes_and_another_version_waits() -> None:
    assert come(ONE, model_package_arn=V1)["way"] == "go"
    assert come(TWO, model_package_arn=V2)["way"] == "wait"


def test_a_second_approval_of_the_version_that_is_being_released_does_nothing() -> None:
    come(ONE, model_package_arn=V1)

    answer = come(TWO, model_package_arn=V1, by="approval")

    assert (answer["way"], answer["why"]) == ("done", f"{ONE} releases the same version already")


def test_the_same_version_after_a_release_that_died_untouched_is_no_repetition(states: States) -> None:
    come(ONE, model_package_arn=V1)
    states.end(ONE)

    assert come(TWO, model_package_arn=V1)["way"] == "go"


@pytest.mark.parametrize("asked", [{"by_strategy": True}, {"supersede": True}], ids=["by the strategy", "by who asks"])
def test_a_newer_version_that_may_ends_the_running_release_and_then_waits_for_its_end(
    states: States, asked: dict[str, bool]
) -> None:
    come(ONE, model_package_arn=V1)

    assert come(TWO, model_package_arn=V2, who="anna", **asked)["way"] == "wait"
    assert states.executions[ONE] == {
        "status": "ABORTED",
        "error": "Release.Superseded",
        "cause": f"anna: {V2} takes its place",
    }
    assert come(TWO, model_package_arn=V2, who="anna", **asked)["way"] == "go"


def test_who_takes_traffic_away_asks_for_its_turn_again_within_seconds() -> None:
    come(ONE, model_package_arn=V1)

    assert come(TWO, model_package_arn=V2)["every_s"] == 30
    assert come(THREE, action="rollback", who="anna", reason="customers complain")["every_s"] == 5


def test_a_rollback_ends_the_running_release_and_goes_before_all_who_wait(states: States) -> None:
    come(ONE, model_package_arn=V1)
    come(TWO, model_package_arn=V2)

    come(THREE, action="rollback", who="anna", reason="customers complain")

    assert states.executions[ONE]["error"] == "Release.RolledBack"
    assert states.executions[ONE]["cause"] == "anna: customers complain"
    assert come(TWO, model_package_arn=V2)["way"] == "wait"


def test_a_recovery_with_nothing_left_to_bring_back_is_done(states: States) -> None:
    come(ONE, model_package_arn=V1)
    states.end(ONE)

    assert come(TWO, action="recover", execution_arn=ONE)["way"] == "done"


def test_a_recovery_leaves_the_endpoint_to_who_has_taken_it_over(states: States) -> None:
    come(ONE, model_package_arn=V1)
    states.end(ONE)
    come(TWO, model_package_arn=V2)

    assert come(THREE, action="recover", execution_arn=ONE)["way"] == "done"
    row = lock.holder(ENDPOINT)
    assert row is not None
    assert row.owner == TWO


def test_an_action_that_nobody_knows_is_refused_before_anything_is_taken() -> None:
    with pytest.raises(ReleaseRefused, match="must be one of release, rollback, retire, recover, got 'explode'"):
        come(ONE, action="explode")
    assert lock_rows.read(ENDPOINT) == []


def test_a_retirement_that_meets_an_ab_test_comes_again_later_and_holds_up_nobody_meanwhile() -> None:
    """A test takes four weeks by default; a retirement that failed by that would ring the alarm of what is given up."""
    ab_test_lock.take(ENDPOINT, ONE, "offers-1a2b3c4d5e")

    answer = come(TWO, action="retire", by="retention")

    assert (answer["way"], answer["looks"], answer["every_s"]) == ("wait", 0, 6 * 3600)
    assert [row.owner for row in lock_rows.read(ENDPOINT)] == [ONE]
    assert come(THREE, model_package_arn=V1)["looks"] == 1, "a release waits in line, and not for ever"
