"""A scenario as a picture: who answered each second, green's share of the traffic, and what happened when."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.report import Outcome, Second

BLUE, GREEN, FAILED, SHARE = "#7aa7e0", "#5bb974", "#d1242f", "#1b1f24"
LEGEND = "".join(
    f'<span><i style="background:{colour}"></i>{what}</span>'
    for colour, what in (
        (BLUE, "answered by blue, each second"),
        (GREEN, "answered by green"),
        (FAILED, "failed"),
        (SHARE, "green's share of the traffic"),
    )
)
_WIDTH, _HEIGHT = 960, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 44, 58, 24
_TICKS = (1, 2, 5, 10, 20, 30, 60, 120)
_MOST_TICKS = 12
_SAME_S = 0.2
_LETTER = 6.5  # the width of a letter of 11 pixels, about


def draw(outcome: Outcome) -> str:
    """The scenario as inline SVG."""
    return _Drawing(outcome).svg()


class _Drawing:
    """Places seconds, requests and percents.

    :param outcome: what is drawn.
    """

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._end = max(len(outcome.timeline), 1)
        self._most = max((one.blue + one.green + one.failed for one in outcome.timeline), default=0) or 1

    def svg(self) -> str:
        parts = [*self._axes(), *(self._bar(one) for one in self._outcome.timeline), self._shares(), *self._moments()]
        label = escape(f"{self._outcome.title}: requests by second", quote=True)
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}" font-size="11" '
            f'font-family="system-ui, sans-serif" fill="#656d76">{"".join(parts)}</svg>'
        )

    def _x(self, second: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(second, 0.0), self._end) / self._end, 1)

    def _y(self, part: float) -> float:
        """``part``: from 0, the bottom, to 1."""
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * part, 1)

    def _axes(self) -> list[str]:
        every = next((one for one in _TICKS if self._end / one <= _MOST_TICKS), _TICKS[-1])
        bottom = self._y(0)
        ticks = [
            f'<text x="{self._x(at)}" y="{bottom + 16}" text-anchor="middle">{at} s</text>'
            for at in range(0, self._end + 1, every)
        ]
        lines = [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{self._y(part)}" y2="{self._y(part)}" stroke="#eaeef2"/>'
            for part in (0, 0.5, 1)
        ]
        left = [
            f'<text x="{_LEFT - 6}" y="{self._y(part) + 4}" text-anchor="end">{round(self._most * part)}</text>'
            for part in (0, 0.5, 1)
        ]
        right = [f'<text x="{_WIDTH - _RIGHT + 6}" y="{self._y(part) + 4}">{part:.0%}</text>' for part in (0, 0.5, 1)]
        return [*lines, *ticks, *left, *right]

    def _bar(self, second: Second) -> str:
        left, width = self._x(second.at), max(self._x(second.at + 1) - self._x(second.at) - 1, 0.6)
        parts, height = [], 0
        for count, colour in ((second.blue, BLUE), (second.green, GREEN), (second.failed, FAILED)):
            if not count:
                continue
            top, bottom = self._y((height + count) / self._most), self._y(height / self._most)
            drawn = max(bottom - top, 1.5)
            parts.append(f'<rect x="{left}" y="{top}" width="{width:.1f}" height="{drawn:.1f}" fill="{colour}"/>')
            height += count
        return "".join(parts)

    def _shares(self) -> str:
        shares = [(0.0, 0.0), *self._outcome.shares, (float(self._end), 0.0)]
        points = [f"{self._x(0)},{self._y(0)}"]
        for (_, before), (at, after) in pairwise(shares):
            points.append(f"{self._x(at)},{self._y(before / 100)}")
            if at < self._end:
                points.append(f"{self._x(at)},{self._y(after / 100)}")
        return f'<polyline points="{" ".join(points)}" fill="none" stroke="{SHARE}" stroke-width="1.5"/>'

    def _moments(self) -> list[str]:
        """What happened when, on lines of text that do not run into each other."""
        told = sorted([*self._outcome.moments, *self._marks()])
        drawn, ends = [], [0.0, 0.0, 0.0]
        for at, what in told:
            place = self._x(at)
            width = len(what) * _LETTER
            start = min(place, _WIDTH - width)
            row = next((one for one, end in enumerate(ends) if start >= end), len(ends) - 1)
            ends[row] = start + width + 8
            height = 12 + 14 * row
            drawn.append(
                f'<line x1="{place}" x2="{place}" y1="{height + 4}" y2="{self._y(0)}" stroke="#8c959f" '
                f'stroke-dasharray="2 3"/><text x="{start:.1f}" y="{height}" fill="#1b1f24">{escape(what)}</text>'
            )
        return drawn

    def _marks(self) -> list[tuple[float, str]]:
        """The fault and the verdict, but for a fault that something which happened tells already."""
        outcome = self._outcome
        marks = [] if outcome.verdict_s is None else [(outcome.verdict_s, "back")]
        told = [at for at, _ in (*outcome.moments, *marks)]
        if outcome.fault_s is not None and all(abs(at - outcome.fault_s) > _SAME_S for at in told):
            marks.append((outcome.fault_s, "the fault shows"))
        return marks
