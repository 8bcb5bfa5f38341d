"""Does a rollback take back what it means, no more, and say so only when it has?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.release.ab_test.runtime import lock as ab_test_lock
from mlplatform_cdk.release.blue_green.runtime import audit, ending, live, lock, production
from mlplatform_cdk.release.blue_green.runtime.entering import enter
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.rolling_back import Listed
from mlplatform_cdk.release.blue_green.runtime.state import Live
from tests.release.table import EARLY, ENDPOINT, LATER, MACHINE, ONE, THREE, TWO, States, world
from tests.release.worlds import GROUP, plan_for, variant
from tests.release.worlds import live as endpoint_of

BEFORE = endpoint_of(variant("a", 1))
PLAN = plan_for(2, BEFORE) | {"package_arn": f"{GROUP}/2"}
SPLIT = endpoint_of(
    variant("a", 1, weight=0.5), variant("b", 2, weight=0.5), configuration=PLAN["shared"]["configuration"]
)
PASSED = endpoint_of(
    variant("a", 1, weight=0.0), variant("b", 2, weight=1.0), configuration=PLAN["shared"]["configuration"]
)


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    with world(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The decisions that are written down."""
    written: list[dict[str, Any]] = []
    monkeypatch.setattr(
        audit, "write", lambda _event, step, decision, **more: written.append({"as": f"{step}: {decision}", **more})
    )
    return written


def dead(states: States, monkeypatch: pytest.MonkeyPatch, endpoint: Live, *, error: str = "", **plan: Any) -> None:
    """A release of version 2 that died and left the endpoint like this."""
    monkeypatch.setattr(live, "read_endpoint", lambda _name: endpoint)
    lock.take(ENDPOINT, ONE, f"{GROUP}/2", asked=EARLY)
    lock.keep(ENDPOINT, ONE, {**PLAN, **plan})
    states.end(ONE, error=error, cause="ann: no")


def come(*, done: bool = False, meant: str = "", **request: Any) -> dict[str, Any]:
    event = {"execution_arn": TWO, "endpoint_name": ENDPOINT, "request": request, "started": LATER, "done": done}
    event["meant"] = meant
    return enter({**event, "looks": 0, "most_looks": 500, "supersede": False})


def test_a_rollback_of_the_live_version_does_not_blame_the_next_one_that_was_being_released(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(states, monkeypatch, SPLIT, error="Release.Superseded")

    answer = come(action="rollback", model_package_arn=f"{GROUP}/1", who="ann", reason="wrong labels")

    assert (answer["way"], [*answer["failure"]]) == ("back", ["Release.Superseded"])


def test_a_rollback_of_the_version_that_was_being_released_takes_it_back_and_names_it(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(states, monkeypatch, SPLIT)

    answer = come(action="rollback", model_package_arn=f"{GROUP}/2", who="ann", reason="wrong labels")

    assert (answer["way"], [*answer["failure"]]) == ("back", ["Release.RolledBack"])


def test_a_release_that_is_aborted_before_it_planned_leaves_a_record_of_who_and_why(
    states: States, records: list[dict[str, Any]]
) -> None:
    lock.take(ENDPOINT, ONE, f"{GROUP}/2", asked=EARLY)
    asked = json.dumps({"model_package_arn": f"{GROUP}/2"})
    states.end(ONE, error="Release.Aborted", cause="ada: the wrong version", input=asked)

    assert come(action="recover", execution_arn=ONE)["why"] == "nothing is left of it"

    (record,) = records
    assert (record["as"], record["who"], record["reason"]) == (
        "Ended: ended before it began",
        "ada",
        "the wrong version",
    )


@pytest.mark.parametrize("step", ["Plan", "RollBack", "Retire", "TakeUp"])
def test_what_had_begun_is_not_said_to_have_ended_before_it(
    states: States, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lock.take(ENDPOINT, ONE, f"{GROUP}/2", asked=EARLY)
    states.end(ONE, error="Release.Aborted", cause="ada: no", input="{}")
    monkeypatch.setattr(
        audit, "is_written", lambda event, one, *, sequence=0: (event["execution_arn"], one, sequence) == (ONE, step, 0)
    )

    come(action="recover", execution_arn=ONE)

    assert records == []


def test_a_release_that_is_aborted_while_it_finishes_is_taken_back_and_not_completed(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(states, monkeypatch, PASSED, error="Release.Aborted", finishing=True)

    assert come(action="recover", execution_arn=ONE)["way"] == "back"


@pytest.mark.parametrize("error", ["", "Release.Superseded"])
def test_a_release_that_is_only_interrupted_while_it_finishes_is_completed(
    states: States, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    dead(states, monkeypatch, PASSED, error=error, finishing=True)

    assert come(action="recover", execution_arn=ONE)["way"] == "finish"


def test_a_second_rollback_of_what_is_back_already_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "read_endpoint", lambda _name: BEFORE)

    answer = come(action="rollback", model_package_arn=f"{GROUP}/2")

    assert (answer["way"], answer["why"]) == ("done", f"{GROUP}/2 has no traffic")


def test_a_rollback_of_split_traffic_that_nobody_remembers_is_refused_and_not_called_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "read_endpoint", lambda _name: SPLIT)

    with pytest.raises(ReleaseRefused, match=r"must have all its traffic on one variant .*a: 0.5, b: 0.5"):
        come(action="rollback")


def test_a_rollback_that_names_no_version_of_a_model_is_refused_before_it_ends_anything(states: States) -> None:
    ab_test_lock.take(ENDPOINT, ONE, "offers-1a2b3c4d5e")

    with pytest.raises(ReleaseRefused, match=r"a rollback must name a version .* got offers-1a2b3c4d5e"):
        come(action="rollback", model_package_arn="offers-1a2b3c4d5e")

    assert states.executions[ONE]["status"] == "RUNNING"


@pytest.mark.parametrize(("approval", "rejections"), [("Approved", 1), ("Rejected", 0)])
def test_a_version_is_rejected_once_since_its_rejection_starts_a_rollback(
    monkeypatch: pytest.MonkeyPatch, approval: str, rejections: int
) -> None:
    listed = [
        Listed(arn=f"{GROUP}/1", number=1, approval="Approved", stage_status="Retired"),
        Listed(arn=f"{GROUP}/2", number=2, approval=approval, stage_status="InService"),
    ]
    rejected: list[str] = []
    monkeypatch.setattr(live, "read_endpoint", lambda _name: endpoint_of(variant("b", 2)))
    monkeypatch.setattr(production, "versions", lambda _group: iter(listed))
    monkeypatch.setattr(production, "reject", lambda arn, _reason: rejected.append(arn))

    answer = come(action="rollback")

    assert (answer["way"], answer["package_arn"]) == ("release", f"{GROUP}/1")
    assert len(rejected) == rejections


def back(endpoint: Live, failure: str, *, looks: int = 0) -> dict[str, Any]:
    """What the last look at the way back says."""
    event = {"endpoint_name": ENDPOINT, "execution_arn": TWO, "plan": {**PLAN, "scaled": []}, "tries": 1, "request": {}}
    return ending.go_back({**event, "failure": {failure: {"Error": failure}}, "looks": looks, "most_looks": 120})


@pytest.mark.parametrize(
    ("endpoint", "failure", "done"),
    [
        pytest.param(BEFORE, "Release.RolledBack", True, id="it was meant"),
        pytest.param(BEFORE, "Release.Superseded", False, id="it stood in the way"),
        pytest.param(
            endpoint_of(variant("b", 2), configuration=PLAN["green"]["configuration"]),
            "Release.RolledBack",
            False,
            id="blue was gone",
        ),
    ],
)
def test_a_rollback_is_done_only_when_what_it_meant_is_back(
    monkeypatch: pytest.MonkeyPatch, endpoint: Live, failure: str, *, done: bool
) -> None:
    monkeypatch.setattr(live, "read_endpoint", lambda _name: endpoint)
    monkeypatch.setattr(ending, "_restore", lambda *_: None)
    lock.take(ENDPOINT, TWO, "", action="rollback", asked=LATER)

    assert back(endpoint, failure)["rolled_back"] is done


def test_a_way_back_that_sagemaker_keeps_refusing_is_no_success_and_keeps_the_turn_for_another_try(
    states: States, monkeypatch: pytest.MonkeyPatch, records: list[dict[str, Any]]
) -> None:
    dead(states, monkeypatch, PASSED)
    come(action="recover", execution_arn=ONE)

    event = {"endpoint_name": ENDPOINT, "execution_arn": TWO, "plan": PLAN, "goes_on": True}
    with pytest.raises(ReleaseFailed, match="the way back did not end"):
        ending.settle({**event, "back": back(PASSED, "Release.Alarm", looks=119)})

    assert (records[-1]["as"], records[-1]["percent"]) == ("WayBack: rejected, and not brought back", None)
    row = lock.holder(ENDPOINT)
    assert row is not None
    assert (row.owner, row.debt is None) == (TWO, False)


def test_a_rollback_that_follows_is_started_once_and_on_the_same_machine(states: States) -> None:
    told = {"decision": "green stays", "percent": 100.0, "reject": False, "gives_up": False, "step": "MarkProduction"}
    event = {"endpoint_name": ENDPOINT, "execution_arn": TWO, "plan": PLAN, "goes_on": False}

    for _ in range(2):
        ending.settle({**event, "back": {**told, "sentence": "it was rejected", "rolls_back": f"{GROUP}/2"}})

    (started,) = states.started
    assert started["stateMachineArn"] == MACHINE
    assert json.loads(started["input"]) == {
        "action": "rollback",
        "by": "recovery",
        "model_package_arn": f"{GROUP}/2",
        "reason": "it was rejected",
    }


def test_no_rollback_gives_traffic_to_what_stands_beside_the_live_version_but_was_never_in_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A green without traffic and without tests, that a release left, looks like a version that is kept."""
    listed = [
        Listed(arn=f"{GROUP}/1", number=1, approval="Approved", stage_status="Retired"),
        Listed(arn=f"{GROUP}/2", number=2, approval="Approved", stage_status="InService"),
        Listed(arn=f"{GROUP}/3", number=3, approval="Approved", stage_status=""),
    ]
    endpoint = endpoint_of(variant("a", 3, weight=0.0), variant("b", 2, weight=1.0))
    monkeypatch.setattr(live, "read_endpoint", lambda _name: endpoint)
    monkeypatch.setattr(production, "versions", lambda _group: iter(listed))
    monkeypatch.setattr(production, "reject", lambda *_: None)

    answer = come(action="rollback")

    assert (answer["way"], answer["package_arn"]) == ("release", f"{GROUP}/1")


def test_who_took_over_what_a_dead_release_left_and_fails_leaves_it_to_the_next(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback waits for an update to end and is throttled: the split traffic must not be forgotten with it."""
    dead(states, monkeypatch, Live(status="Updating"))
    assert come(action="rollback")["way"] == "wait"

    nothing = {"decision": "nothing was touched", "percent": None, "reject": False, "gives_up": False}
    event = {"endpoint_name": ENDPOINT, "execution_arn": TWO, "plan": {"looks": 0}, "goes_on": False}
    ending.settle({**event, "back": {**nothing, "step": "Enter", "sentence": "throttled"}})
    states.end(TWO, "FAILED")

    assert lock.take(ENDPOINT, THREE, "", action="recover", asked=LATER).left == {**PLAN}


def test_a_rollback_that_names_no_version_means_the_one_that_came_when_it_was_asked_for(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm takes version 2 back before the rollback gets its turn, which must not take version 1 back, too."""
    dead(states, monkeypatch, SPLIT, error="Release.Alarm")
    lock.take(ENDPOINT, THREE, "", action="recover", asked=EARLY, urgent=True)
    first = come(action="rollback", who="ann")
    lock.keep(ENDPOINT, THREE, {})
    lock.free(ENDPOINT, THREE)
    monkeypatch.setattr(live, "read_endpoint", lambda _name: BEFORE)

    answer = come(action="rollback", who="ann", meant=first["meant"])

    assert (first["way"], first["meant"]) == ("wait", f"{GROUP}/2")
    assert (answer["way"], answer["why"]) == ("done", f"{GROUP}/2 has no traffic")


@pytest.mark.parametrize("named", [False, True], ids=["without a version", "by its name"])
def test_what_a_rollback_brought_is_taken_back_only_by_its_name(
    monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    listed = [
        Listed(arn=f"{GROUP}/1", number=1, approval="Approved", stage_status="Retired"),
        Listed(arn=f"{GROUP}/2", number=2, approval="Approved", stage_status="InService"),
        Listed(arn=f"{GROUP}/3", number=3, approval="Rejected", stage_status="Retired"),
    ]
    rejected: list[str] = []
    monkeypatch.setattr(live, "read_endpoint", lambda _name: endpoint_of(variant("b", 2)))
    monkeypatch.setattr(production, "versions", lambda _group: iter(listed))
    monkeypatch.setattr(production, "reject", lambda arn, _reason: rejected.append(arn))

    if named:
        assert come(action="rollback", model_package_arn=f"{GROUP}/2")["package_arn"] == f"{GROUP}/1"
    else:
        with pytest.raises(
            ReleaseRefused, match=r"version 3 was taken back already, and churn version 2 serves.*churn/2"
        ):
            come(action="rollback")
    assert rejected == ([f"{GROUP}/2"] if named else [])


@pytest.mark.parametrize(("error", "blamed"), [("Release.Aborted", False), ("Release.Alarm", True)])
def test_who_aborts_a_rollback_speaks_not_against_the_version_that_it_brings(
    states: States, monkeypatch: pytest.MonkeyPatch, error: str, *, blamed: bool
) -> None:
    monkeypatch.setattr(live, "read_endpoint", lambda _name: SPLIT)
    lock.take(ENDPOINT, ONE, f"{GROUP}/1", action="rollback", asked=EARLY, urgent=True)
    lock.keep(ENDPOINT, ONE, PLAN)
    states.end(ONE, error=error, cause="ann: no")

    answer = come(action="recover", execution_arn=ONE)

    assert (answer["way"], answer["plan"]["rejectable"]) == ("back", blamed)
