"""When has a scenario held?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mlplatform_cdk.local.rehearsal.findings import WAY_BACK, Facts, judge
from mlplatform_cdk.local.rehearsal.ledger import Request
from mlplatform_cdk.local.rehearsal.scenarios import ALL, BY_NAME
from mlplatform_cdk.local.rehearsal.watching import Release

BEGAN, BLUE, GREEN = 1000.0, "version/1", "version/2"


def request(number: int, at: float, variant: str | None = "a", *, status: int = 200, text: str = "right") -> Request:
    return Request(number=number, sent=BEGAN + at, seconds=0.1, status=status, variant=variant, text=text)


def entered(state: str, at: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(BEGAN + at, tz=UTC)
    return {"type": "TaskStateEntered", "timestamp": moment, "stateEnteredEventDetails": {"name": state}}


@pytest.fixture
def rolled_back() -> Facts:
    """Green failed a request, and the release went back within a second."""
    release = Release(version=GREEN, blue="a", green="b", execution="execution", began=BEGAN)
    release.shares = [(BEGAN + 1, 5.0), (BEGAN + 5, 0.0)]
    return Facts(
        scenario=BY_NAME["erring"],
        release=release,
        requests=[
            request(0, 0.5),
            request(1, 2, "b"),
            request(2, 3, "b", status=424, text="the bug after 12 ms"),
            request(3, 4.5, "b"),
            request(4, 6),
        ],
        right="right",
        execution={"status": "FAILED", "error": "Look", "cause": "too many errors"},
        history=[entered("Look", 3.5), entered(WAY_BACK, 4)],
        package={"ModelApprovalStatus": "Rejected", "ApprovalDescription": "too many errors"},
        live=BLUE,
        held_still=(),
        ended=BEGAN + 7,
    )


@pytest.fixture
def released(rolled_back: Facts) -> Facts:
    """A good version, with all the traffic."""
    return replace(
        rolled_back,
        scenario=BY_NAME["good"],
        requests=[request(0, 0.5), request(1, 2, "b")],
        execution={"status": "SUCCEEDED"},
        history=[],
        package={"ModelApprovalStatus": "Approved"},
        live=GREEN,
    )


def test_a_release_that_goes_back_holds_although_green_failed_requests_of_its_own(rolled_back: Facts) -> None:
    outcome = judge(rolled_back)

    assert (outcome.held, outcome.problems) == (True, ())
    assert outcome.counts is not None
    counts = outcome.counts
    assert (counts.sent, counts.answered, counts.by_green, counts.failed_by_green) == (5, 4, 2, 1)
    assert outcome.failures == {"the bug after # ms": 1}


def test_times_are_from_the_fault_and_from_the_verdict_to_the_last_request_of_green(rolled_back: Facts) -> None:
    outcome = judge(rolled_back)

    assert outcome.from_fault_s == pytest.approx(1.6)
    assert outcome.from_verdict_s == pytest.approx(0.6)
    assert [(one.at, one.blue, one.green, one.failed) for one in outcome.timeline][:5] == [
        (0, 1, 0, 0),
        (1, 0, 0, 0),
        (2, 0, 1, 0),
        (3, 0, 0, 1),
        (4, 0, 1, 0),
    ]


def test_a_good_version_holds_with_all_the_traffic(released: Facts) -> None:
    assert judge(released).held


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"requests": ()}, "there must be requests"),
        ({"execution": {"status": "FAILED"}}, "the release must succeed"),
        ({"live": BLUE}, "the version must have all the traffic"),
        ({"requests": [request(0, 1, "b", status=500)]}, "a good version must fail no request"),
        ({"requests": [request(0, 1, "b"), request(1, 1, "a", status=503)]}, "no request may fail but by green's own"),
        ({"requests": [request(0, 1, "b"), request(1, 1, None, status=0)]}, "no request may fail but by green's own"),
        ({"held_still": ("b",)}, "scaling must go on"),
    ],
)
def test_a_good_version_does_not_hold(released: Facts, change: dict[str, Any], problem: str) -> None:
    outcome = judge(replace(released, **change))

    assert outcome.held is False
    assert any(problem in one for one in outcome.problems), outcome.problems


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"execution": {"status": "SUCCEEDED"}}, "the release must not succeed"),
        ({"live": GREEN}, "the version before must have all the traffic again"),
        ({"live": None}, "the version before must have all the traffic again"),
        ({"package": {"ModelApprovalStatus": "Approved"}}, "must be Rejected in the registry"),
        ({"package": {"ModelApprovalStatus": "Rejected"}}, "must say why"),
        ({"requests": [request(0, 30, "b")]}, "within 10 s of the verdict"),
        (
            {"requests": [request(0, 2, "b", status=500), request(1, 13, "b")], "scenario": BY_NAME["crashing"]},
            "within 10 s of the fault, got 11.1",
        ),
        (
            {"requests": [request(0, 2, "b", status=500), *(request(one, 3, "b") for one in range(2_000))]},
            "the fault must be proved within 2,000 of green's requests, got 2,001",
        ),
        ({"requests": [request(0, 1)]}, "green must meet callers, got none"),
        ({"scenario": BY_NAME["wrong"]}, "green must not meet callers"),
    ],
)
def test_a_release_that_goes_back_does_not_hold(rolled_back: Facts, change: dict[str, Any], problem: str) -> None:
    outcome = judge(replace(rolled_back, **change))

    assert outcome.held is False
    assert any(problem in one for one in outcome.problems), outcome.problems


def test_a_stop_that_nobody_meant_speaks_against_no_version(rolled_back: Facts) -> None:
    stopped = replace(rolled_back, scenario=BY_NAME["stopped"])
    stopped.release.disturbed = BEGAN + 2

    assert "must be Approved in the registry, got Rejected" in judge(stopped).problems[0]
    kept = judge(replace(stopped, package={"ModelApprovalStatus": "Approved"}))
    assert kept.held
    assert kept.fault_s == 2


def test_the_scenarios_are_those_of_the_promise() -> None:
    assert [one.name for one in ALL] == [
        "good",
        "wrong",
        "slow",
        "erring",
        "crashing",
        "sick",
        "alarm",
        "rejected",
        "unanswered",
        "stopped",
    ]
    assert [one.name for one in ALL if one.is_released] == ["good"]
