"""When has a scenario of regions held?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlplatform_cdk.local.rehearsal.regions.calls import Call, How
from mlplatform_cdk.local.rehearsal.regions.findings import Facts, Seen, judge
from mlplatform_cdk.local.rehearsal.regions.report import Outcome, RegionsReport
from mlplatform_cdk.local.rehearsal.regions.scenarios import ALL

HERE, THERE = "eu-west-1", "us-east-1"
STRUCK, RESTORED = 1000.0, 1060.0


def call(at: float, how: How = "plain", *, near: str = HERE, region: str = HERE, text: str = "right") -> Call:
    """``at``: seconds since the fault; without a text it failed."""
    answered = bool(text)
    said = text or "refused after 0.25 s"
    return Call(how=how, near=near, sent=STRUCK + at, seconds=0.1, region=region, answered=answered, text=said)


def seen(at: float, what: str, value: str, region: str = HERE) -> Seen:
    return Seen(at=STRUCK + at, what=what, region=region, value=value)


CALLS = (
    call(-2),
    call(-1, near=THERE, region=THERE),
    call(-1, "client"),
    call(2, text=""),
    call(14, text=""),
    call(3, "client", region=THERE),
    call(20, region=THERE),
    call(21, near=THERE, region=THERE),
    call(99),
)
SEEN = (
    seen(-20, "verdict", "in-service"),
    seen(-20, "verdict", "in-service", THERE),
    seen(-20, "name", HERE),
    seen(-20, "instances", "1"),
    seen(-20, "instances", "1", THERE),
    seen(5, "verdict", "out-of-service"),
    seen(6, "name", THERE),
    seen(41, "instances", "2", THERE),
    seen(72, "verdict", "in-service"),
    seen(85, "name", HERE),
)


@pytest.fixture
def facts() -> Facts:
    """A region is found after 5 s, the name leads elsewhere after 6, and the last caller leaves after 14."""
    return Facts(
        scenario=ALL[0],
        victim=HERE,
        survivor=THERE,
        struck=STRUCK,
        restored=RESTORED,
        began=STRUCK - 4,
        calls=CALLS,
        right="right",
        seen=SEEN,
        interval_s=2.0,
        ttl_s=12.0,
    )


def test_a_region_that_is_left_and_returned_to_in_time_holds(facts: Facts) -> None:
    outcome = judge(facts)

    assert (outcome.problems, outcome.held) == ((), True)
    assert (outcome.detect_s, outcome.detect_within_s) == (5.0, 6.0)
    assert (outcome.shift_s, outcome.left_s, outcome.left_within_s) == (6.0, 14.0, 18.0)
    assert (outcome.well_s, outcome.return_s, outcome.back_s) == (12.0, 25.0, 39.0)
    assert outcome.plain is not None
    assert outcome.client is not None
    assert (outcome.plain.sent, outcome.plain.failed, outcome.plain.last_bad_s) == (7, 2, 14.0)
    assert (outcome.client.sent, outcome.client.failed, outcome.client.last_bad_s) == (2, 0, None)
    assert outcome.failures == {"refused after #": 2}


def test_capacity_is_what_was_right_of_what_was_asked_and_what_the_other_region_took(facts: Facts) -> None:
    capacity = judge(facts).capacity

    assert capacity is not None
    assert (capacity.asked, capacity.right) == (5 / 60, 3 / 60)
    assert (capacity.survivor_before, capacity.survivor_during) == (1 / 4, 2 / 42)
    assert capacity.p99_during_ms == pytest.approx(100.0)


def test_the_region_that_is_left_must_grow_while_the_other_is_away(facts: Facts) -> None:
    capacity = judge(facts).capacity

    assert capacity is not None
    assert capacity.scaled_s == 41.0
    assert capacity.instances == {HERE: ((-20.0, 1),), THERE: ((-20.0, 1), (41.0, 2))}
    late = tuple(replace(one, at=RESTORED + 1) if one.value == "2" else one for one in SEEN)
    assert judge(replace(facts, seen=late)).problems == (
        f"{THERE} must have more instances for twice the load, and had not",
    )


def test_calls_are_counted_by_the_second_and_by_who_answered(facts: Facts) -> None:
    outcome = judge(facts)
    seconds = {one.at: (one.struck, one.other, one.bad) for one in outcome.plain_by_second}

    assert outcome.struck_s == 4.0
    assert (seconds[2], seconds[3], seconds[6], seconds[24]) == ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 0))
    assert sum(map(sum, seconds.values())) == 7
    assert [one.at for one in outcome.client_by_second if one.other] == [7]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"interval_s": 1.5}, "the region's verdict must turn within 4.5 s, got 5.0", id="detected late"),
        pytest.param(
            {"seen": SEEN[:5]}, "the region's verdict must turn within 6.0 s, and did not at all", id="not detected"
        ),
        pytest.param(
            {"seen": SEEN[:6]},
            "the name must lead elsewhere while the region is out, and did not",
            id="the name stays",
        ),
        pytest.param(
            {"ttl_s": 2.0}, "the last call by DNS must leave the region within 8.5 s, got 14.0", id="kept too long"
        ),
        pytest.param(
            {"calls": (*CALLS, call(30, region=THERE, text="other"))},
            "no call by DNS may fail or be wrong after 18.0 s, got one after 30.0 s",
            id="a wrong answer later",
        ),
        pytest.param(
            {"seen": SEEN[:6]},
            "the region must answer callers by DNS again after the fault, and did not",
            id="the name does not come back",
        ),
        pytest.param(
            {"calls": CALLS[:-1]},
            "the region must answer callers by DNS again after the fault, and did not",
            id="nobody comes back",
        ),
        pytest.param(
            {"calls": (*CALLS, call(3, "client", text=""))},
            "no call by the client helper may fail, got 1 of 3",
            id="the helper fails",
        ),
        pytest.param(
            {"calls": [one for one in CALLS if one.how == "plain"]},
            "there must be calls by the client helper, got none",
            id="nobody asks",
        ),
        pytest.param(
            {"seen": (*SEEN, seen(90, "verdict", "stale", THERE))},
            "us-east-1 must stay in service, and did not",
            id="the other region goes",
        ),
        pytest.param(
            {"calls": (*CALLS, call(9, near=THERE, region=THERE, text=""))},
            "no caller near us-east-1 may notice, got 1 failed or wrong",
            id="others notice",
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_said_in_a_sentence(
    facts: Facts, change: dict[str, object], sentence: str
) -> None:
    outcome = judge(replace(facts, **change))  # type: ignore[arg-type]

    assert not outcome.held
    assert sentence in outcome.problems


def test_wrong_answers_are_no_failures_of_the_helper_but_are_counted(facts: Facts) -> None:
    outcome = judge(replace(facts, calls=(*CALLS, call(3, "client", text="other"))))

    assert outcome.held
    assert outcome.client is not None
    assert (outcome.client.failed, outcome.client.wrong) == (0, 1)


def test_a_report_holds_when_there_were_scenarios_and_all_held() -> None:
    report = RegionsReport(domain="one", regions=(HERE, THERE), machine={}, clock="", rate=1.0)
    good, bad = (Outcome(name="killed", title="", held=held) for held in (True, False))

    assert not report.held
    report.outcomes.append(good)
    assert report.held
    report.outcomes.append(bad)
    assert not report.held
    assert '"held": false' in report.to_json()
