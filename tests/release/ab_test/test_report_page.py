"""Is the report one file that needs nothing else, and does it say what was found?"""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from mlplatform_cdk.release.ab_test.runtime import charts
from mlplatform_cdk.release.ab_test.runtime.decision import Look, decide
from mlplatform_cdk.release.ab_test.runtime.looking import _looked
from mlplatform_cdk.release.ab_test.runtime.report_page import Seen, page
from mlplatform_cdk.runtimekit.ab_test.plan import THOMPSON
from mlplatform_cdk.runtimekit.ab_test.state import TestState
from tests.release.ab_test.streams import PLAN, arms, guarded, hits, look
from tests.release.ab_test.test_decision import both


def seen(one: Look) -> Seen:
    return Seen.from_mapping(dict(_looked(one, decide(one))))


def told(looks: list[Look], *, ended: str = "") -> str:
    last = looks[-1]
    state = TestState(name="offers", run="offers-1", status="running", arms=last.arms, plan=last.plan, started="today")
    return page(state, [seen(one) for one in looks], ended=ended)


def stream(count: int = 20) -> list[Look]:
    source = np.random.default_rng(5)
    gathered = source.binomial(300, (0.10, 0.11, 0.14), (count, 3)).cumsum(axis=0)
    return [
        look(*(hits(300 * number, int(hit)) for hit in row), number=number)
        for number, row in enumerate(gathered, start=1)
    ]


def drawings(html: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def test_the_report_needs_nothing_from_elsewhere() -> None:
    html = told(stream())

    assert re.findall(r'(?:src|href)="', html) == []
    assert "url(" not in html
    assert "<script" not in html


def test_every_drawing_is_well_formed_and_stays_within_its_frame() -> None:
    for drawing in drawings(told(stream())):
        _, _, width, height = map(float, drawing.attrib["viewBox"].split())
        for shape in drawing:
            points = [pair.split(",") for pair in shape.attrib.get("points", "").split()]
            assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


def test_each_challenger_has_its_difference_drawn_and_said() -> None:
    html = told(stream())

    assert [one.attrib["aria-label"] for one in drawings(html)] == [
        "mean of each variant",
        "b and the control",
        "c and the control",
        "shares of the requests",
    ]
    assert "c: +0.0" in html
    assert "proven better" in html
    assert "b: +0.0" in html


def test_the_guards_and_the_shares_of_a_bandit_are_told() -> None:
    guards = told([look(both(5000, 500, 10), both(5000, 800, 200), plan=guarded())])
    bandit = told([look(hits(1000, 100), hits(1000, 125), plan=replace(PLAN, traffic=THOMPSON))])

    assert "<td>failed</td><td>b</td><td>+0.038</td>" in guards
    assert "<td>broken</td>" in guards
    assert "Thompson sampling" in bandit
    assert re.search(r"<td>9\d\.\d%</td>", bandit)


def test_a_test_that_nobody_answered_yet_has_a_report_too() -> None:
    state = TestState(name="offers", run="r", status="running", arms=arms(0.5, 0.5), plan=PLAN)
    html = page(state, [], ended="")

    assert "Running: no look yet" in html
    assert len(drawings(html)) == 3


def test_what_others_wrote_is_shown_as_text() -> None:
    state = TestState(name="offers", run="r", status="ended", arms=arms(0.5, 0.5), plan=PLAN)

    html = page(state, [], ended="failed: <script>alert(1)</script>")

    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    HTMLParser().feed(html)


@pytest.mark.parametrize("count", [1, 299, 300, 301, 2400])
def test_of_many_looks_at_most_300_are_drawn_and_the_last_is(count: int) -> None:
    points = [(float(number), 0.0, 1.0, 2.0) for number in range(count)]

    assert len(charts.thinned(points)) <= 300
    assert charts.thinned(points)[-1] == points[-1]
