"""The drawings of a report: SVG as text, nothing but the standard library. Pure."""

from collections.abc import Sequence
from html import escape

# Okabe and Ito's colours, which the colour-blind tell apart, and two greys; the control's is the first.
COLOURS = ("#555555", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#7F3C8D", "#999999")
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 78, 16, 12, 30
_TICKS = 4
_MOST_POINTS = 300

Band = tuple[float, float | None, float | None, float | None]  # x, low, middle, high


def thinned(points: Sequence[Band]) -> list[Band]:
    """At most 300 of ``points``, the last among them."""
    step = max(1, -(-len(points) // _MOST_POINTS))
    return [*reversed([*reversed(points)][::step])]


def band(points: Sequence[Band], *, colour: str, label: str, height: int = 200) -> str:
    """An estimate over the looks with its interval, about a line at 0."""
    shown = thinned([point for point in points if point[2] is not None])
    if not shown:
        return _empty(label, height)
    most = _reach(shown)
    plot = _Plot(shown[0][0], max(shown[-1][0], shown[0][0] + 1), -most, most, height)
    upper = [(x, high if high is not None else most) for x, _, _, high in shown]
    lower = [(x, low if low is not None else -most) for x, low, _, _ in shown]
    middle = [(x, estimate) for x, _, estimate, _ in shown if estimate is not None]
    drawn = [
        f'<polygon points="{plot.points(upper + lower[::-1])}" fill="{colour}" fill-opacity="0.18"/>',
        f'<polyline points="{plot.points(middle)}" fill="none" stroke="{colour}" stroke-width="2"/>',
        plot.dot(*middle[-1], colour),
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{plot.y(0):.1f}" y2="{plot.y(0):.1f}" stroke="#222"/>',
    ]
    return plot.svg(drawn, label)


def shares(looks: Sequence[tuple[float, Sequence[float]]], *, label: str, height: int = 160) -> str:
    """How the requests were divided, look by look."""
    if not looks:
        return _empty(label, height)
    step = max(1, -(-len(looks) // _MOST_POINTS))
    shown = [*looks[::step], looks[-1]]
    plot = _Plot(shown[0][0], max(shown[-1][0], shown[0][0] + 1), 0.0, 1.0, height)
    below = [0.0] * len(shown)
    drawn = []
    for index in range(len(shown[0][1])):
        above = [base + look[1][index] for base, look in zip(below, shown, strict=True)]
        edge = [(look[0], level) for look, level in zip(shown, above, strict=True)]
        floor = [(look[0], level) for look, level in zip(shown, below, strict=True)]
        colour = COLOURS[index % len(COLOURS)]
        drawn.append(f'<polygon points="{plot.points(edge + floor[::-1])}" fill="{colour}" fill-opacity="0.8"/>')
        below = above
    return plot.svg(drawn, label, percent=True)


def whiskers(rows: Sequence[tuple[str, float | None, float | None, float | None]], *, label: str) -> str:
    """The mean of each variant and the interval about it, one below the other."""
    known = [one for row in rows for one in row[1:] if one is not None]
    height = _TOP + _BOTTOM + 34 * len(rows)
    if not known:
        return _empty(label, height)
    low, high = min(known), max(known)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    least, most = low - margin, high + margin

    def x(value: float) -> float:
        return _LEFT + (value - least) / (most - least) * (_WIDTH - _LEFT - _RIGHT)

    drawn = []
    for index, (name, under, mean, over) in enumerate(rows):
        y, colour = _TOP + 17 + 34 * index, COLOURS[index % len(COLOURS)]
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        if mean is None:
            continue
        ends = x(least if under is None else under), x(most if over is None else over)
        style = f'stroke="{colour}" stroke-width="6" stroke-opacity="0.35" stroke-linecap="round"'
        drawn += [
            f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y}" y2="{y}" {style}/>',
            f'<circle cx="{x(mean):.1f}" cy="{y}" r="5" fill="{colour}"/>',
        ]
    bottom = height - _BOTTOM + 6
    for number in range(_TICKS + 1):
        value = low + (high - low) * number / _TICKS
        drawn.append(f'<text x="{x(value):.1f}" y="{bottom + 14}" text-anchor="middle">{value:.4g}</text>')
        drawn.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{_TOP}" y2="{bottom}" class="grid"/>')
    return _svg(drawn, label, height)


class _Plot:
    """Axes, and where a point lies between them."""

    def __init__(self, left: float, right: float, bottom: float, top: float, height: int) -> None:
        self._left, self._right, self._bottom, self._top, self._height = left, right, bottom, top, height

    def x(self, value: float) -> float:
        return _LEFT + (value - self._left) / (self._right - self._left) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, self._bottom), self._top)
        return _TOP + (self._top - inside) / (self._top - self._bottom) * (self._height - _TOP - _BOTTOM)

    def points(self, values: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in values)

    def dot(self, x: float, y: float, colour: str) -> str:
        return f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="4" fill="{colour}"/>'

    def svg(self, drawn: Sequence[str], label: str, *, percent: bool = False) -> str:
        grid = []
        for number in range(_TICKS + 1):
            level = self._bottom + (self._top - self._bottom) * number / _TICKS
            text = f"{level:.0%}" if percent else f"{level:+.3g}" if level else "0"
            y = self.y(level)
            grid.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
            grid.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
            look = round(self._left + (self._right - self._left) * number / _TICKS)
            anchor = "end" if number == _TICKS else "middle"
            grid.append(
                f'<text x="{self.x(look):.1f}" y="{self._height - 8}" text-anchor="{anchor}">look {look}</text>'
            )
        return _svg([*grid, *drawn], label, self._height)


def _reach(points: Sequence[Band]) -> float:
    """How far the axis goes: what the later half shows; the first intervals are as wide as all outdoors."""
    later = points[len(points) // 2 :]
    ends = [abs(one) for _, *band_ in later for one in band_ if one is not None]
    return 1.15 * max(ends, default=1.0) or 1.0


def _svg(drawn: Sequence[str], label: str, height: int) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif" font-size="12" fill="#444">'
        f"{''.join(drawn)}</svg>"
    )


def _empty(label: str, height: int) -> str:
    text = f'<text x="{_WIDTH / 2:.0f}" y="{height / 2:.0f}" text-anchor="middle">nothing yet</text>'
    return _svg([text], label, height)
