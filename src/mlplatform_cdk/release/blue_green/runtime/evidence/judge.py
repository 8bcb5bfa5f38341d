"""The verdict on green: what was measured of it, held against the rules and against blue in the same window. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.significance import above, worse
from mlplatform_cdk.release.blue_green.runtime.evidence.windows import Period, Window
from mlplatform_cdk.runtimekit.release_strategy import VerdictRules

# The chance that one of the tests takes a version back which keeps its bound, however often it is looked at. A release
# has some six tests in each of some eight windows: at worst, on its bounds everywhere, one good version of twenty.
FALSE_ALARMS = 0.001
_PROOF = 1 / FALSE_ALARMS
_SHOWN = 1e6  # evidence beyond it is shown as this
_FEWEST = 5  # events: fewer may be one caller's requests that failed together, whatever the odds
_IN_A_ROW = 3  # periods that a machine must be too busy before that is a state and no moment
_P50, _P99 = 0.5, 0.01  # the share of requests that may be slower than the median, and than the 99th percentile
_FINER, _REACH = 3, 9  # rungs to a doubling, and rungs each way: from an eighth of the budget to eight times


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to make of green.

    :param ok: True: it keeps every rule; False: it breaks one; None: too few requests to tell.
    :param reasons: the rules that it breaks, or what is lacking, each in a sentence.
    :param metrics: the figures that were judged, as JSON takes them.
    """

    ok: bool | None
    reasons: tuple[str, ...]
    metrics: dict[str, Any] = field(default_factory=dict)


def rungs(rules: VerdictRules, budget_ms: float) -> tuple[float, ...]:
    """The latencies that requests must be counted above: the rules' bounds, and a ladder around the budget.

    Counts above fixed latencies add up over minutes and variants, as percentiles do not: "the p99 is within the budget"
    is "at most 1 % of the requests are slower than the budget". The ladder is for the comparison with blue. It begins
    at an eighth of the budget: among answers faster than that, no difference counts.

    :param rules: the bounds.
    :param budget_ms: the latency budget of the model, in milliseconds.
    """
    ladder = {budget_ms * 2 ** (step / _FINER) for step in range(-_REACH, _REACH + 1)}
    ladder |= {_p99(rules, budget_ms)} | ({rules.latency_p50_ms} if rules.latency_p50_ms else set())
    return tuple(sorted(round(one, 3) for one in ladder))


def judge(
    rules: VerdictRules,
    green: Window,
    blue: Window | None,
    *,
    budget_ms: float,
    since: float | None = None,
    alarms: Sequence[str] = (),
) -> Verdict:
    """Green's verdict.

    A breach counts as soon as it is proved, by five events at least; a good verdict needs the rules' minimum.
    Every test is made on the window and on the whole release: a fault that comes late is not outvoted by a good
    beginning, and a small one that no window could prove is proved by all of them.

    :param rules: what green must keep.
    :param green: what was measured of green, since its first request of this release or of this window.
    :param blue: the same of blue; None: there is no blue.
    :param budget_ms: the latency budget of green's manifest, in milliseconds.
    :param since: when this window began, in seconds since 1970; default: with the first period.
    :param alarms: the names of alarms that are in alarm now; each one is a breach.
    """
    evidence: dict[str, float] = {}
    reasons = [f"the alarm {name} is in alarm" for name in alarms]
    for start in dict.fromkeys((since, None)):
        for name, value, sentence in _tests(rules, green, blue or Window(), budget_ms, start):
            if value >= _PROOF > evidence.get(name, 0.0):
                reasons.append(sentence)
            evidence[name] = max(value, evidence.get(name, 0.0))
    reasons += _busy(rules, green)
    metrics: dict[str, Any] = {
        "green": green.told(since),
        "blue": blue.told(since) if blue else None,
        "evidence": {name: round(min(value, _SHOWN), 2) for name, value in evidence.items()},
    }
    if reasons:
        return Verdict(ok=False, reasons=tuple(reasons), metrics=metrics)
    came = metrics["green"]["requests"]
    if came < rules.minimum_requests:
        lacking = f"green must have answered {rules.minimum_requests} requests for a verdict, got {came}"
        return Verdict(ok=None, reasons=(lacking,), metrics=metrics)
    return Verdict(ok=True, reasons=(), metrics=metrics)


def _tests(
    rules: VerdictRules, green: Window, blue: Window, budget_ms: float, since: float | None
) -> Iterator[tuple[str, float, str]]:
    """Name, strength and sentence of every test."""
    pairs = _pairs(green.since(since), blue.since(since))
    periods = green.since(since)
    requests, failures = sum(one.requests for one in periods), sum(one.failures for one in periods)
    said = f"{failures} of green's {requests} requests failed"
    allowed = f"{rules.most_errors * 100:g} %"
    yield "errors", _above(failures, requests, rules.most_errors), f"{said}, which is more than {allowed}"
    if rules.error_ratio_to_blue is not None:
        ratio = rules.error_ratio_to_blue
        for name, verb, too in (("failures", "failed", "did"), ("refusals", "were refused with 4xx", "were")):
            strata = [(getattr(one, name), one.requests, getattr(two, name), two.requests) for one, two in pairs]
            value = worse(strata, ratio) if sum(one[0] for one in strata) >= _FEWEST else 0.0
            yield f"{name}_to_blue", value, _compared(strata, (verb, too), ratio)
    bounds = [("p99", _P99, _p99(rules, budget_ms)), ("p50", _P50, rules.latency_p50_ms)]
    for name, share, bound in bounds:
        if bound is not None:
            slow, timed = green.slower_than(round(bound, 3), since)
            sentence = f"the {name} of green's latency must be within {bound:g} ms: {slow} of {timed} took longer"
            yield name, _above(slow, timed, share), sentence
    if rules.latency_ratio_to_blue is not None:
        for name, share, _ in bounds:
            yield from _slower(name, share, rules.latency_ratio_to_blue, (green, blue), since)


def _slower(
    name: str, share: float, ratio: float, windows: tuple[Window, Window], since: float | None
) -> Iterator[tuple[str, float, str]]:
    """Green's percentile against blue's: the rung that blue keeps, its multiple, and how many of green's pass that.

    Both are rounded up to a rung, a quarter at most each, and blue's by one request more than came, so that a doubt is
    green's gain; where the ladder ends, nothing is compared.
    """
    green, blue = windows
    kept = next((rung for rung in blue.ladder_ms if _keeps(*blue.slower_than(rung, since), share)), math.inf)
    bound = next((rung for rung in green.ladder_ms if rung >= ratio * kept), None)
    if bound is None:
        return
    slow, timed = green.slower_than(bound, since)
    said = f"the {name} of green's latency must be within {ratio:g} times blue's, which is below {kept:g} ms"
    yield f"{name}_to_blue", _above(slow, timed, share), f"{said}: {slow} of {timed} took longer than {bound:g} ms"


def _above(count: int, total: int, bound: float) -> float:
    return above(count, total, bound) if count >= _FEWEST else 0.0


def _keeps(slow: int, timed: int, share: float) -> bool:
    return (slow + 1) / (timed + 1) <= share


def _busy(rules: VerdictRules, green: Window) -> Iterator[str]:
    """Too little of the machine left, for so many periods that it is no moment.

    A GPU's memory is shown and not judged: what serves models there takes all of it by design, and errors tell when it
    is too little.
    """
    kinds = (
        ("CPU", rules.cpu_percent, green.cpu_percent),
        ("GPU", rules.gpu_percent, green.gpu_percent),
        ("memory", rules.memory_percent, green.memory_percent),
    )
    for what, bound, values in kinds:
        last = values[-_IN_A_ROW:]
        if bound is not None and len(last) == _IN_A_ROW and min(last) > bound:
            shown = ", ".join(f"{value:.0f}" for value in last)
            yield f"green's {what} must be at most {bound:g} percent busy, got {shown}"


def _pairs(green: Sequence[Period], blue: Sequence[Period]) -> list[tuple[Period, Period]]:
    """The periods in which both had requests."""
    others = {one.at: one for one in blue if one.requests}
    return [(one, others[one.at]) for one in green if one.requests and one.at in others]


def _compared(strata: Sequence[tuple[int, int, int, int]], verbs: tuple[str, str], ratio: float) -> str:
    green, green_requests, blue, blue_requests = (sum(one[place] for one in strata) for place in range(4))
    return (
        f"{green} of green's {green_requests} requests {verbs[0]} where {blue} of blue's {blue_requests} {verbs[1]}, "
        f"which is more than {ratio:g} times blue's share"
    )


def _p99(rules: VerdictRules, budget_ms: float) -> float:
    return rules.latency_p99_ms if rules.latency_p99_ms is not None else budget_ms
