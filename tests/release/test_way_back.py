"""Where does a failed release leave the traffic?"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.release.blue_green.runtime.failure import Failure
from mlplatform_cdk.release.blue_green.runtime.state import Live, Variant
from mlplatform_cdk.release.blue_green.runtime.way_back import WayBack, way_back
from tests.release.worlds import live, plan_for, variant

BEFORE = live(variant("a", 1))
PLAN = plan_for(2, BEFORE)
SHARED, ALONE = PLAN["shared"]["configuration"], PLAN["green"]["configuration"]
FIRST = plan_for(1, Live(status=""))
GREEN_BAD = Failure("TestGreen", "golden-1: label[0] must be 1, got 0", "ReleaseFailed")


def back(plan: dict[str, Any], endpoint: Live, *, failure: Failure = GREEN_BAD, looks: int = 1) -> WayBack:
    return way_back(plan, failure, endpoint, looks=looks, most_looks=120)


def test_a_release_that_was_refused_touched_nothing() -> None:
    step = back({"looks": 3}, Live(status=""), failure=Failure("Plan", "not approved"))

    assert (step.way, step.reject) == ("done", False)


def test_green_without_traffic_goes_by_blues_configuration() -> None:
    endpoint = live(variant("a", 1, weight=1.0), variant("b", 2, weight=0.0), configuration=SHARED)

    assert back(PLAN, endpoint).way == "configuration"


def test_traffic_goes_back_before_anything_else() -> None:
    endpoint = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0), configuration=SHARED)

    step = back(PLAN, endpoint)

    assert step.way == "weights"
    assert {one["VariantName"]: one["DesiredWeight"] for one in step.weights} == {"a": 1.0, "b": 0.0}


def test_blue_in_service_on_its_own_configuration_is_the_end_of_the_way() -> None:
    step = back(PLAN, BEFORE)

    assert (step.way, step.reject, step.is_blue_again) == ("done", True, True)
    assert step.outcome == "churn version 1 serves all traffic"


@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "SystemUpdating"])
def test_a_change_under_way_is_waited_for(status: str) -> None:
    assert back(PLAN, Live(status=status)).way == "wait"


def test_after_blue_is_gone_green_stays_and_is_not_rejected() -> None:
    lost = Failure("WatchRetirement", "the network was gone", "Throttled")

    step = back(PLAN, live(variant("b", 2), configuration=ALONE), failure=lost)

    assert (step.way, step.reject, step.rolls_back) == ("done", False, False)
    assert step.outcome == "churn version 2 serves all traffic; start its release again to finish it"


@pytest.mark.parametrize(("error", "rejects"), [("Release.Alarm", True), ("ReleaseWithdrawn", False)])
def test_after_blue_is_gone_what_is_wrong_with_green_leads_to_a_rollback(error: str, *, rejects: bool) -> None:
    step = back(PLAN, live(variant("b", 2), configuration=ALONE), failure=Failure(error, "it must go", error))

    assert (step.way, step.reject, step.rolls_back) == ("done", rejects, True)
    assert step.outcome == "churn version 2 serves all traffic, and must not keep it"


@pytest.mark.parametrize("step", ["RegisterScaling", "ScaleByTraffic", "MarkProduction"])
def test_a_tested_first_version_is_not_deleted_because_its_marks_failed(step: str) -> None:
    endpoint = live(variant("a", 1), configuration=FIRST["green"]["configuration"])

    assert back(FIRST, endpoint, failure=Failure(step, "throttled")).way == "done"


@pytest.mark.parametrize("status", ["InService", "Failed"])
def test_a_first_version_that_fails_leaves_no_endpoint(status: str) -> None:
    endpoint = live(variant("a", 1), configuration=FIRST["green"]["configuration"], status=status)

    assert back(FIRST, endpoint).way == "delete"
    assert back(FIRST, Live(status="")).way == "done"


def test_an_endpoint_that_somebody_else_made_meanwhile_is_left_alone() -> None:
    step = back(FIRST, live(variant("a", 1), configuration="theirs"), failure=Failure("CreateEndpoint", "exists"))

    assert (step.way, "did not make" in step.outcome) == ("done", True)


def test_the_way_back_has_an_end_and_says_so() -> None:
    step = back(PLAN, Live(status="Updating", configuration=SHARED), looks=120)

    assert step.way == "done"
    assert "Updating" in step.outcome
    assert "look at it now" in step.outcome


def test_a_version_that_serves_already_is_not_rejected_when_its_new_fleet_fails() -> None:
    plan = {**PLAN, "rejectable": False}

    assert back(plan, BEFORE).reject is False


def _carry_out(step: WayBack, endpoint: Live, plan: dict[str, Any]) -> Live:
    """What SageMaker makes of ``step``."""
    if step.way == "weights":
        weights = {one["VariantName"]: one["DesiredWeight"] for one in step.weights}
        return replace(
            endpoint,
            variants=tuple(replace(one, weight=weights.get(one.name, one.weight)) for one in endpoint.variants),
        )
    if step.way == "configuration":
        return replace(
            endpoint,
            configuration=plan["blue"]["configuration"],
            variants=tuple(one for one in endpoint.variants if one.name == "a") or (variant("a", 1),),
        )
    assert step.way == "wait"
    return replace(endpoint, status="InService")


ENDPOINTS: st.SearchStrategy[Live] = st.builds(
    lambda status, configuration, blue, green, has_blue: live(
        *([variant("a", 1, weight=blue)] if has_blue else []),
        variant("b", 2, weight=green),
        configuration=configuration,
        status=status,
    ),
    st.sampled_from(["InService", "Updating", "SystemUpdating", "RollingBack"]),
    st.sampled_from([BEFORE.configuration, SHARED, ALONE, "dev-churn--other"]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(ENDPOINTS)
def test_from_any_state_the_way_back_ends_with_one_version_in_charge(endpoint: Live) -> None:
    seen: list[str] = []
    for looks in range(1, 8):
        step = back(PLAN, endpoint, looks=looks)
        seen.append(step.way)
        if step.way == "done":
            break
        endpoint = _carry_out(step, endpoint, PLAN)

    serving = [one.name for one in endpoint.variants if one.weight > 0]
    assert seen[-1] == "done"
    assert step.is_blue_again == (serving == ["a"])
    assert step.is_blue_again or endpoint.configuration == ALONE


@pytest.mark.parametrize("step", ["Conclude", "MarkProduction"])
def test_what_fails_after_green_has_passed_all_deletes_and_takes_back_nothing(step: str) -> None:
    """A record that could not be written must not delete the first version's endpoint, nor reject the next version."""
    first = live(variant("a", 1), configuration=FIRST["green"]["configuration"])
    kept = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0), configuration=SHARED)
    failure = Failure(step, "the bus refused the event", "EventNotTaken")

    assert back(FIRST, first, failure=failure).way == "done"
    stays = back(PLAN, kept, failure=failure)
    assert (stays.way, stays.reject, stays.decision, stays.percent) == ("done", False, "green stays", 100.0)


@pytest.mark.parametrize(
    ("failure", "rejects"),
    [
        (Failure("TestGreen", "wrong", "ReleaseFailed"), True),
        (Failure("AskPerson", "ann: no", "Release.Rejected"), True),
        (Failure("Look", "slow down", "Throttled"), False),
        (Failure("Look", "too few requests", "ReleaseUnjudged"), False),
        (Failure("Look", "the bus refused", "EventNotTaken"), False),
        (Failure("BringUpGreen", "no more instances", "SageMaker.ResourceLimitExceededException"), False),
        (Failure("BringUpGreen", "Cannot update in-progress endpoint", "ClientError"), False),
        (Failure("WatchGreen", "the container did not pass the ping", "ReleaseFailed"), True),
        (Failure("WatchGreen", "InsufficientInstanceCapacity", "NoInstances"), False),
        (Failure("CreateModel", "slow down", "SageMaker.ThrottlingException"), False),
        (Failure("ShiftTraffic", "the endpoint is SystemUpdating", "SageMaker.SageMakerException"), False),
        (Failure("AskPerson", "nobody answered", "States.Timeout"), True),
        (Failure("Look", "the p99 must be within 25 ms", "ReleaseFailed"), True),
        (Failure("Release.Alarm", "b-errors: 12 errors", "Release.Alarm"), True),
        (Failure("Release.RolledBack", "ann: wrong labels", "Release.RolledBack"), True),
        (Failure("Release.Aborted", "ann: the wrong version", "Release.Aborted"), True),
        (Failure("Preflight", "(AccessDeniedException) when calling BatchGetImage", "ClientError"), False),
        (Failure("Preflight", "Task timed out after 300.00 seconds", "Sandbox.Timedout"), False),
        (Failure("TestGreen", "Task timed out after 300.00 seconds", "Sandbox.Timedout"), False),
        (Failure("TestGreen", "out of memory", "Runtime.ExitError"), False),
        (Failure("Look", "Could not connect to the endpoint URL", "EndpointConnectionError"), False),
        (Failure("CreateModel", "(ServiceUnavailable) 503", "ClientError"), False),
        (Failure("CreateGreenConfiguration", "it must finish within its time limit", "States.Timeout"), False),
        (Failure("AskPerson", "the function of the gates failed", "KeyError"), False),
        (Failure("Look", "a fault of our own", "KeyError"), False),
    ],
)
def test_only_what_speaks_against_the_version_rejects_it(failure: Failure, *, rejects: bool) -> None:
    assert back(PLAN, BEFORE, failure=failure).reject is rejects


def test_a_way_back_that_does_not_end_is_never_told_as_one_that_did() -> None:
    stuck = back(PLAN, live(variant("a", 1, weight=0.0), variant("b", 2), configuration=SHARED), looks=120)

    assert (stuck.decision, stuck.percent, stuck.gives_up) == ("not brought back", None, True)
    assert back(PLAN, BEFORE).decision == "brought back"
    untouched = back({"looks": 3}, Live(status=""))
    assert (untouched.decision, untouched.percent) == ("nothing was touched", None)


def test_an_endpoint_that_is_gone_is_not_waited_for_and_leaves_the_turn_to_the_next_release() -> None:
    gone = back(PLAN, Live(status=""))

    assert (gone.way, gone.decision, gone.gives_up) == ("done", "not brought back", False)


def test_the_traffic_goes_back_without_more_instances_when_these_do_not_come() -> None:
    """SageMaker takes the whole call back, weights and all, when it finds no instances (status RollingBack)."""
    plan = {**PLAN, "blue": {**PLAN["blue"], "instances": 3}}
    kept = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0, instances=3), configuration=SHARED)

    first, second = (
        way_back(plan, GREEN_BAD, kept, looks=1 + tries, most_looks=120, tries=tries).weights[0] for tries in (0, 1)
    )

    assert first == {"VariantName": "a", "DesiredWeight": 1.0, "DesiredInstanceCount": 3}
    assert second == {"VariantName": "a", "DesiredWeight": 1.0}


def scaled_out(number: int, weight: float, *, began: int, instances: int) -> Variant:
    made = variant("b", number, weight=weight, instances=instances)
    return replace(made, definition={**made.definition, "InitialInstanceCount": began})


@pytest.mark.parametrize(
    ("blue", "green", "wanted"),
    [
        pytest.param((0.0, 2), scaled_out(2, 1.0, began=2, instances=5), 5, id="green had scaled out"),
        pytest.param((0.0, 2), scaled_out(2, 1.0, began=2, instances=1), None, id="green had scaled in"),
        pytest.param((0.0, 1), scaled_out(2, 1.0, began=3, instances=3), 3, id="green came larger and had all"),
        pytest.param((0.5, 1), scaled_out(2, 0.5, began=3, instances=3), None, id="green came larger and had half"),
        pytest.param((1.0, 2), scaled_out(2, 0.0, began=2, instances=5), 5, id="an alarm took its traffic first"),
    ],
)
def test_blue_gets_as_many_instances_as_green_had_for_all_the_requests(
    blue: tuple[float, int], green: Variant, wanted: int | None
) -> None:
    weight, instances = blue
    plan = {**PLAN, "blue": {**PLAN["blue"], "instances": instances}}
    endpoint = live(variant("a", 1, weight=weight, instances=instances), green, configuration=SHARED)

    first, second = (
        way_back(plan, GREEN_BAD, endpoint, looks=1 + tries, most_looks=120, tries=tries) for tries in (0, 1)
    )

    assert first.way == "weights"
    assert [one.get("DesiredInstanceCount") for one in first.weights] == [wanted, None]
    # Traffic that is away goes without them then; once it is there, they are asked for again, but not for ever.
    assert ("DesiredInstanceCount" in str(second.weights)) is (weight == 1.0)
    tired = way_back(plan, GREEN_BAD, endpoint, looks=5, most_looks=120, tries=4)
    assert "DesiredInstanceCount" not in str(tired.weights)


@pytest.mark.parametrize("step", ["HoldStill", "LetGreenScale"])
def test_what_scaling_does_not_take_speaks_against_no_version(step: str) -> None:
    assert back(PLAN, BEFORE, failure=Failure(step, "it is in the middle of a change", "ReleaseFailed")).reject is False


@pytest.mark.parametrize("way", ["nothing", "wait", "clear"])
def test_a_plan_that_changes_no_fleet_has_nothing_to_go_back_to(way: str) -> None:
    """Such as one that waited for the endpoint until its patience was over, and must not ask for a configuration ''."""
    plan = {**plan_for(2, BEFORE), "way": way, "blue": {**PLAN["blue"], "exists": False, "variant": ""}}

    step = back(plan, BEFORE, failure=Failure("Plan", "the endpoint is not ready", "ReleaseRefused"))

    assert (step.way, step.decision, step.reject) == ("done", "nothing was touched", False)


def test_a_fleet_that_scales_by_nothing_gets_its_instances_after_its_traffic_where_both_did_not_come() -> None:
    plan = {**PLAN, "blue": {**PLAN["blue"], "instances": 3}}
    kept = variant("a", 1, weight=0.0, instances=1)
    beside = live(kept, variant("b", 2, weight=1.0, instances=1), configuration=SHARED)
    moved = live(replace(kept, weight=1.0), variant("b", 2, weight=0.0, instances=1), configuration=SHARED)
    alone = live(replace(kept, weight=1.0), configuration=PLAN["before"])
    asked = []

    for tries, endpoint in enumerate((beside, beside, moved, alone)):
        step = way_back(plan, GREEN_BAD, endpoint, looks=1 + tries, most_looks=120, tries=tries)
        asked.append([(one["DesiredWeight"], one.get("DesiredInstanceCount")) for one in step.weights])

    assert asked == [[(1.0, 3), (0.0, None)], [(1.0, None), (0.0, None)], [(1.0, 3), (0.0, None)], [(1.0, 3)]]
    assert (
        way_back(plan, GREEN_BAD, alone, looks=9, most_looks=120, tries=4).outcome
        == "churn version 1 serves all traffic"
    )
