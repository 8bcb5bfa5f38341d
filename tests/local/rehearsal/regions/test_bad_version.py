"""When has a version that is wrong everywhere stopped its releases, and nothing else?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlplatform_cdk.local.rehearsal.regions.bad_version import Ended, VersionFacts, judge
from mlplatform_cdk.local.rehearsal.regions.scenarios import ALL, BAD_VERSION
from tests.local.rehearsal.regions.test_findings import CALLS, HERE, STRUCK, THERE, call, seen

STOPPED = tuple(
    Ended(
        region=one,
        error="Release.Alarm",
        cause=f"models.example.com-{one}-wrong-everywhere: it rings",
        approval="Rejected",
    )
    for one in (HERE, THERE)
)
SEEN = (
    seen(-9, "verdict", "in-service"),
    seen(-9, "name", HERE),
    seen(4, "bad version", "0a1b"),
    seen(5, "bad version", "0a1b", THERE),
    seen(9, "bad version", "", THERE),
)


@pytest.fixture
def facts() -> VersionFacts:
    """Both regions name the version within 5 s, and are back after 11."""
    return VersionFacts(
        scenario=next(one for one in ALL if one.name == BAD_VERSION),
        struck=STRUCK,
        back=STRUCK + 11,
        began=STRUCK - 4,
        calls=(call(-2), call(3, text="turned around"), call(5, "client", text="turned around"), call(12)),
        right="right",
        seen=SEEN,
        releases=STOPPED,
        interval_s=2.0,
    )


def test_a_version_that_is_named_by_all_stopped_by_the_alarm_and_rejected_holds(facts: VersionFacts) -> None:
    outcome = judge(facts)

    assert (outcome.problems, outcome.held) == ((), True)
    assert (outcome.detect_s, outcome.detect_within_s, outcome.well_s) == (5.0, 6.0, 11.0)
    assert outcome.plain is not None
    assert (outcome.plain.sent, outcome.plain.failed, outcome.plain.wrong) == (3, 0, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seen": SEEN[:3]}, "every region must name the version within 6.0 s, and did not at all"),
        (
            {"releases": (STOPPED[0], replace(STOPPED[1], error="", cause=""))},
            f"the alarm must stop the release in {THERE}, got its end: ",
        ),
        (
            {"releases": (STOPPED[0], replace(STOPPED[1], approval="Approved"))},
            f"the version must be rejected in {THERE}, got Approved",
        ),
        (
            {"seen": (*SEEN, seen(6, "verdict", "out-of-service"))},
            f"no region may leave, got '{HERE} is out-of-service' after 6.0 s",
        ),
        (
            {"seen": (*SEEN, seen(6, "name", THERE))},
            f"no region may leave, got 'near {HERE} the name leads to {THERE}' after 6.0 s",
        ),
        (
            {"calls": (*CALLS[:3], call(20, text="turned around"))},
            "no call may fail or be wrong once the version before is back, got 1",
        ),
        ({"calls": (call(1), call(1, "client", text=""))}, "no call by the client helper may fail, got 1 of 1"),
    ],
)
def test_whatever_else_happens_does_not_hold(facts: VersionFacts, change: dict[str, object], sentence: str) -> None:
    assert judge(replace(facts, **change)).problems == (sentence,)  # type: ignore[arg-type]
