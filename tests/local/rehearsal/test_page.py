"""Can a rehearsal's report be read, by people and by machines?"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from mlplatform_cdk.local.rehearsal import clock
from mlplatform_cdk.local.rehearsal.page import page
from mlplatform_cdk.local.rehearsal.report import Counts, Outcome, RehearsalReport, Second
from mlplatform_cdk.runtimekit.release_strategy import Strategy

COUNTS = Counts(sent=300, answered=299, by_green=30, wrong=0, failed=1, failed_by_green=1, failed_otherwise=0)
HELD = Outcome(
    name="erring",
    title="green errs at 1 %",
    version="its hook raises",
    held=True,
    seconds=3.0,
    ending="FAILED: Look: <too many>",
    counts=COUNTS,
    highest_share=20.0,
    fault_s=1.0,
    verdict_s=2.0,
    last_green_s=2.25,
    timeline=(Second(at=0, blue=100), Second(at=1, blue=70, green=29, failed=1), Second(at=2, blue=100)),
    shares=((0.5, 20.0), (2.2, 0.0)),
    moments=((0.1, "approved"), (0.11, "a gate asks"), (2.9, "over")),
    failures={"<the bug>": 1},
)
NOT_HERE = Outcome(name="rejected", title="a gate is rejected", version="a good one", held=None, problems=("no gate",))
BROKEN = Outcome(name="good", title="a good version", version="good", held=False, problems=("it failed",))


def report(*outcomes: Outcome) -> RehearsalReport:
    return RehearsalReport(
        endpoint="churn",
        assembly="cdk.out",
        machine={"cores": 2},
        strategy={},
        clock=clock.sentence(0.02),
        rate=150,
        seconds=12.0,
        outcomes=[*outcomes],
    )


def test_a_rehearsal_holds_when_every_scenario_that_applies_does() -> None:
    assert report(HELD, NOT_HERE).held
    assert not report(HELD, BROKEN).held
    assert not report(NOT_HERE).held


def test_the_page_says_what_held_and_keeps_what_others_wrote_as_text() -> None:
    text = page(report(HELD, NOT_HERE, BROKEN))

    assert "1 of 2 scenarios held" in text
    assert "not applicable" in text
    assert "&lt;too many&gt;" in text
    assert "<the bug>" not in text


def test_each_scenario_is_drawn_whole() -> None:
    (picture,) = re.findall(r"<svg.*?</svg>", page(report(HELD, BROKEN)))

    root = ET.fromstring(picture)
    kinds = [one.tag for one in root.iter()]
    assert kinds.count("rect") == 5  # one for each that answered or failed in each second
    assert {one.text for one in root.iter("text")} >= {
        "approved",
        "a gate asks",
        "the fault shows",
        "back",
        "over",
    }


def test_the_json_has_what_the_page_computes() -> None:
    values = json.loads(report(HELD, NOT_HERE).to_json())

    assert values["held"] is True
    assert values["outcomes"][0]["from_fault_s"] == 1.25
    assert values["outcomes"][0]["from_verdict_s"] == 0.25
    assert values["outcomes"][1]["from_fault_s"] is None


@pytest.mark.parametrize(
    ("strategy", "seconds"),
    [
        # 1.4 times 100 requests at 5 percent of 150 a second, over two windows; at 50 percent the shortest window does.
        (Strategy.linear(), 1.4 * 100 / 7.5 / 2),
        (Strategy.canary(50), clock.SHORTEST_WINDOW_S),
    ],
)
def test_windows_last_seconds_and_as_long_as_their_requests_take(strategy: Strategy, seconds: float) -> None:
    factor = clock.factor_for(strategy.to_mapping(), 150)

    assert factor * strategy.observe.total_seconds() == pytest.approx(seconds)


def test_a_bake_of_many_looks_ends_within_a_minute_and_none_is_shorter_than_the_looks_at_a_fleet() -> None:
    day, minutes = Strategy.linear(), Strategy.linear(bake=timedelta(minutes=3))

    factor = clock.factor_for(day.to_mapping(), 150)
    wait = clock.longest_wait_s(day.to_mapping(), factor)
    assert day.bake_looks * wait < 60
    assert wait >= 30 * factor
    assert clock.longest_wait_s(minutes.to_mapping(), factor) == clock.LONGEST_WAIT_S
    assert clock.longest_wait_s({}, factor) == clock.LONGEST_WAIT_S


def test_a_release_that_observes_nothing_has_the_factor_of_the_other_rehearsals() -> None:
    assert clock.factor_for({}, 150) == clock.DEFAULT_FACTOR
