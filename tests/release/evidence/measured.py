"""Windows as tests write them."""

from dataclasses import replace
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence import Period, Window, rungs
from mlplatform_cdk.runtimekit.release_strategy import VerdictRules

RULES = VerdictRules()
BUDGET_MS = 100.0
LADDER = rungs(RULES, BUDGET_MS)


def period(at: float = 0.0, *, latencies: dict[float, int] | None = None, **counts: int) -> Period:
    """A period, in which so many requests took so many milliseconds; default: all of them took 20."""
    spread = latencies if latencies is not None else {20.0: counts.get("requests", 0)}
    slower = tuple(sum(count for latency, count in spread.items() if latency > rung) for rung in LADDER)
    return Period(at=at, timed=sum(spread.values()), slower=slower, **counts)


def window(*periods: Period, **busy: Any) -> Window:
    """A window of these periods, a minute each where they have no moment of their own."""
    moved = [one if one.at else replace(one, at=60.0 * place) for place, one in enumerate(periods)]
    return Window(periods=tuple(moved), ladder_ms=LADDER, **busy)
