"""How far time is compressed: so far that windows last seconds, and yet long enough for the requests of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST_WINDOW_S = 4.0
LONGEST_WAIT_S = 1.0  # a look of the bake, the retention of blue
LONGEST_ANSWER_S = 6.0  # a gate: the person of the rehearsal answers within two
DEFAULT_FACTOR = 0.02
_RESERVE = 1.4  # green's share of so few requests varies


def factor_for(strategy: Mapping[str, Any], rate: float) -> float:
    """How many seconds a second takes, so that the first and smallest step sees requests enough for its verdict.

    :param strategy: as the machine has it; empty: it observes nothing.
    :param rate: requests a second.
    """
    observe = float(strategy.get("observe") or 0)
    if not observe:
        return DEFAULT_FACTOR
    rules, first = strategy["rules"], float(strategy["steps"][0])
    windows = strategy["patience"] if rules["without_enough_requests"] == "wait" else 1
    needed: float = _RESERVE * rules["minimum_requests"] / (rate * first / 100) / windows
    return min(1.0, max(SHORTEST_WINDOW_S, needed) / observe)


def sentence(factor: float) -> str:
    """What a factor means, for the report."""
    return (
        f"A second took {factor:.3g} s, no wait more than {LONGEST_WAIT_S:g} s, and no gate more than "
        f"{LONGEST_ANSWER_S:g} s."
    )
