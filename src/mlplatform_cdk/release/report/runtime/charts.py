"""The pictures of a report, as SVG that takes its colours from the page. Pure."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from mlplatform_cdk.release.report.runtime.axes import Time, number, top_of
from mlplatform_cdk.release.report.runtime.measured import SIDES, Line, Points
from mlplatform_cdk.runtimekit.release_facts import since

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 52, 16, 14, 26
_FULL = 100.0
Mark = tuple[int, datetime, str]  # number, when, what


def shares_chart(points: Points, time: Time, marks: Sequence[Mark], *, height: int = 190) -> str:
    """Green's share of the traffic, with the numbered decisions on it; the rest is blue's.

    :param points: from when on green had which share, in percent.
    :param marks: the decisions.
    """
    base, top = height - _BOTTOM, _TOP + 18
    corners = [f"{_x(time, time.start):.1f},{base}"]
    level = next((share for moment, share in reversed(points) if moment <= time.start), 0.0)
    corners.append(f"{_x(time, time.start):.1f},{_y(level, _FULL, base, top):.1f}")
    for moment, share in points:
        if time.start < moment <= time.end:
            x = f"{_x(time, moment):.1f}"
            corners += [f"{x},{_y(level, _FULL, base, top):.1f}", f"{x},{_y(share, _FULL, base, top):.1f}"]
            level = share
    right = f"{_x(time, time.end):.1f}"
    corners += [f"{right},{_y(level, _FULL, base, top):.1f}", f"{right},{base}"]
    outline = " ".join(corners[1:-1])
    body = [
        f'<rect class="blue-area" x="{_LEFT}" y="{top}" width="{_WIDTH - _LEFT - _RIGHT}" height="{base - top}"/>',
        *_grid(time, _FULL, 25.0, base, top, "%"),
        f'<polygon class="green-area" points="{" ".join(corners)}"/>',
        f'<polyline class="green" points="{outline}"/>',
        *_marks(time, marks, base, top),
    ]
    return _svg("Green's share of the traffic", body, height)


def line_chart(line: Line, time: Time, shares: Points, *, height: int = 150) -> str:
    """Green's and blue's values over time, blue's dashed.

    :param shares: when green's share of the traffic changed.
    """
    base, top = height - _BOTTOM, _TOP
    shown = {
        side: [(moment, value) for moment, value in line.side(side) if time.start <= moment <= time.end]
        for side in SIDES
    }
    greatest = max((value for points in shown.values() for _, value in points), default=0.0)
    ceiling, step = top_of(greatest)
    body = [*_grid(time, ceiling, step, base, top, line.unit), *_changes(time, shares, base, top)]
    for side in reversed(SIDES):
        places = [(_x(time, moment), _y(value, ceiling, base, top), value) for moment, value in shown[side]]
        if len(places) > 1:
            body.append(f'<polyline class="{side}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)}"/>')
        body += [
            f'<circle class="{side}" cx="{x:.1f}" cy="{y:.1f}" r="{2 if len(places) > 1 else 3}">'
            f"<title>{side}: {number(value)} {escape(line.unit)}</title></circle>"
            for x, y, value in places
        ]
    if not any(shown.values()):
        body.append(f'<text class="none" x="{_WIDTH / 2}" y="{(base + top) / 2}">nothing was measured here</text>')
    return _svg(line.title, body, height)


def _grid(time: Time, ceiling: float, step: float, base: float, top: float, unit: str) -> list[str]:
    right, made, value = _WIDTH - _RIGHT, [], 0.0
    while value <= ceiling * 1.001:
        y = _y(value, ceiling, base, top)
        said = f"{number(value)}{' ' + unit if unit else ''}"
        made.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        made.append(f'<text class="y" x="{_LEFT - 7}" y="{y + 4:.1f}">{escape(said)}</text>')
        value += step
    for place, label in time.marks():
        x = _LEFT + place * (right - _LEFT)
        made.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
        made.append(f'<text class="x" x="{x:.1f}" y="{base + 17}">{label}</text>')
    return made


def _changes(time: Time, shares: Points, base: float, top: float) -> list[str]:
    """A faint line at each change of the traffic."""
    places = [_x(time, moment) for moment, _ in shares if time.start < moment < time.end]
    return [f'<line class="change" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{base}"/>' for x in places]


def _marks(time: Time, marks: Sequence[Mark], base: float, top: float) -> list[str]:
    """A line and a number for each decision; numbers that would lie on one another are left out."""
    made, taken = [], -1.0
    for count, moment, what in marks:
        if not time.start <= moment <= time.end:
            continue
        x = _x(time, moment)
        said = f"{count}: {what} ({since((moment - time.zero).total_seconds())})"
        made.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{base}"><title>{escape(said)}</title></line>'
        )
        if x - taken > 7 + 5 * len(str(count)):
            made.append(f'<text class="mark" x="{x:.1f}" y="{top - 8}">{count}</text>')
            taken = x
    return made


def _x(time: Time, moment: datetime) -> float:
    return _LEFT + time.place(moment) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, ceiling: float, base: float, top: float) -> float:
    return base - (base - top) * min(value / ceiling, 1.0)


def _svg(title: str, body: Sequence[str], height: int) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(body)}</svg>"
    )
