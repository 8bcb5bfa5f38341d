"""The report of an A/B test: one HTML file that needs nothing else. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import charts
from mlplatform_cdk.runtimekit.ab_test.plan import FIXED, TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import Arm, TestState

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:820px;margin:2rem auto;padding:0 1rem;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}p{margin:.3rem 0}
.status{border-left:5px solid #0072B2;background:#eef5fa;padding:.6rem .9rem;margin:1rem 0}
.ended{border-color:#222;background:#f2f2f2}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3rem .5rem;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:#555}
svg{width:100%;height:auto;display:block}.grid{stroke:#e4e4e4}.note{color:#666;font-size:.9em}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}.wrap{overflow-wrap:anywhere}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look, as it is drawn; by variant where it is a tuple.

    :param number: of the look.
    :param shares: before it.
    :param exposed: keys.
    :param samples: of the metric that decides: how many, and their mean.
    :param intervals: about the means.
    :param comparisons: of each challenger with the control, by metric.
    :param chances: to be the best; empty: not asked.
    :param reason: what the look came to.
    :param parts: of the keys, as ``Tally`` has them.
    """

    number: int
    shares: tuple[float, ...]
    exposed: tuple[int, ...]
    samples: tuple[tuple[int, float | None], ...]
    intervals: tuple[tuple[float | None, float | None], ...]
    comparisons: tuple[Mapping[str, Any], ...]
    chances: tuple[float, ...]
    reason: str
    parts: tuple[tuple[int, ...], ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Seen":
        """What ``to_mapping`` gave."""
        pairs = {name: tuple(tuple(one) for one in value[name]) for name in ("samples", "intervals", "parts")}
        flat = {name: tuple(value[name]) for name in ("shares", "exposed", "comparisons", "chances")}
        return cls(**{**value, **pairs, **flat})


def page(state: TestState, looks: Sequence[Seen], *, ended: str) -> str:
    """The report.

    :param state: the test.
    :param looks: all so far.
    :param ended: how it ended; empty: it goes on.
    """
    last = looks[-1] if looks else None
    said = f"Ended: {ended}" if ended else f"Running: {last.reason if last else 'no look yet'}"
    head = (
        f"<h1>A/B test {escape(state.name)}</h1><p class='note'>run {escape(state.run)}, since "
        f"{escape(state.started)}, {len(looks)} of at most {state.plan.looks} looks</p>"
        f"<p class='status{' ended' if ended else ''}'>{escape(said)}</p>"
    )
    parts = [head, _variants(state.arms, last), _means(state, last), _differences(state, looks)]
    parts += [_guards(state.plan, last), _divided(state, looks), _method(state.plan)]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>A/B test {escape(state.name)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _variants(arms: Sequence[Arm], last: Seen | None) -> str:
    rows = []
    for index, arm in enumerate(arms):
        count, mean = last.samples[index] if last else (0, None)
        low, high = last.intervals[index] if last else (None, None)
        chance = f"{last.chances[index]:.1%}" if last and len(last.chances) == len(arms) else ""
        name = f"{_key(index)}{escape(arm.variant)}{' (control)' if not index else ''}"
        cells = [name, f"{arm.share:.1%}", _whole(last.exposed[index] if last else 0), _whole(count), _number(mean)]
        cells += [f"{_number(low)} … {_number(high)}", chance]
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
        detail = f"{escape(arm.version) or 'version unknown'}{f'; out: {escape(arm.out)}' if arm.out else ''}"
        rows.append(f"<tr><td colspan='7' class='note wrap'>{detail}</td></tr>")
    head = "".join(f"<th>{one}</th>" for one in ("variant", "share", "keys", "samples", "mean", "interval", "best"))
    return f"<h2>Variants</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _means(state: TestState, last: Seen | None) -> str:
    rows = [
        (
            arm.variant,
            last.intervals[index][0] if last else None,
            last.samples[index][1] if last else None,
            last.intervals[index][1] if last else None,
        )
        for index, arm in enumerate(state.arms)
    ]
    name = escape(state.plan.metric.name)
    return f"<h2>{name}: mean of each variant</h2>{charts.whiskers(rows, label='mean of each variant')}"


def _differences(state: TestState, looks: Sequence[Seen]) -> str:
    metric, parts = state.plan.metric, []
    for index, arm in enumerate(state.arms[1:], start=1):
        found = [
            (look.number, one)
            for look in looks
            for one in look.comparisons
            if one["variant"] == arm.variant and one["metric"] == metric.name
        ]
        points = [(float(number), one["low"], one["estimate"], one["high"]) for number, one in found]
        label = f"{arm.variant} and the control"
        parts.append(f"<p>{_key(index)}{_said(arm.variant, found[-1][1] if found else None)}</p>")
        parts.append(charts.band(points, colour=charts.COLOURS[index % len(charts.COLOURS)], label=label))
    better = "above" if metric.goal == "increase" else "below"
    return f"<h2>{escape(metric.name)}: difference to the control ({better} 0 is better)</h2>{''.join(parts)}"


def _said(variant: str, one: Mapping[str, Any] | None) -> str:
    if one is None:
        return f"{escape(variant)}: nothing yet"
    proven = "proven better" if one["better"] else "proven worse" if one["worse"] else "not proven"
    chance = "" if one["p_value"] is None else f", p {one['p_value']:.2g}"
    return (
        f"{escape(variant)}: {_number(one['estimate'], sign=True)}, from {_number(one['low'], sign=True)} to "
        f"{_number(one['high'], sign=True)}{chance}; {proven}"
    )


def _guards(plan: TestPlan, last: Seen | None) -> str:
    if not plan.guards or last is None:
        return ""
    margins = {one.metric.name: one.margin for one in plan.guards}
    rows = [
        f"<tr><td>{escape(one['metric'])}</td><td>{escape(one['variant'])}</td>"
        f"<td>{_number(one['estimate'], sign=True)}</td><td>{_number(one['low'], sign=True)} … "
        f"{_number(one['high'], sign=True)}</td><td>{margins[one['metric']]:g}</td>"
        f"<td>{'broken' if one['worse'] else 'holds'}</td></tr>"
        for one in last.comparisons
        if one["metric"] in margins
    ]
    head = "".join(f"<th>{one}</th>" for one in ("guard", "variant", "difference", "interval", "borne", ""))
    return f"<h2>Guards</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _divided(state: TestState, looks: Sequence[Seen]) -> str:
    drawn = charts.shares([(float(one.number), one.shares) for one in looks], label="shares of the requests")
    keys = " ".join(f"{_key(index)}{escape(arm.variant)}" for index, arm in enumerate(state.arms))
    return f"<h2>Shares of the requests</h2><p>{keys}</p>{drawn}"


def _method(plan: TestPlan) -> str:
    how = (
        "Differences: mixture sequential probability ratio test with a normal mixture (Johari et al. 2017)"
        if plan.traffic == FIXED
        else "Shares: Thompson sampling. Differences: the same mixture, within times of equal shares"
    )
    return (
        f"<p class='note'>{how}. However often one looks, the chance of any wrong conclusion is at most "
        f"{plan.error_rate:g}. Nothing is concluded below {plan.minimum_samples} samples of a variant. One sample is "
        f"one {plan.unit}.</p>"
    )


def _key(index: int) -> str:
    return f"<span class='key' style='background:{charts.COLOURS[index % len(charts.COLOURS)]}'></span>"


def _whole(value: int) -> str:
    return f"{value:,}"


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "?"
    return f"{value:+.4g}" if sign else f"{value:.4g}"
