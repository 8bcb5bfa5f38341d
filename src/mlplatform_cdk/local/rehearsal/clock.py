"""How far time is compressed: so far that windows last seconds, and yet long enough for the requests of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.runtimekit.release_strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST_WINDOW_S = 4.0
LONGEST_WAIT_S = 1.0  # a look of the bake, the retention of blue
LOOK_EVERY_S = 30  # at a change that takes long; so many looks are an hour, and must not be over in a moment
LONGEST_BAKE_S = 20.0  # but for what its looks take
LONGEST_ANSWER_S = 15.0  # a gate; who answers is a program, which a busy machine takes some seconds to start
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


def longest_wait_s(strategy: Mapping[str, Any], factor: float) -> float:
    """The longest wait, so that a bake of many looks ends; a change of the endpoint is looked for in its own rhythm.

    :param strategy: as the machine has it; empty: it has none.
    :param factor: how many seconds a second takes.
    """
    looks = Strategy.from_mapping(strategy).bake_looks if strategy else 0
    return min(LONGEST_WAIT_S, max(LONGEST_BAKE_S / max(looks, 1), LOOK_EVERY_S * factor))


def sentence(factor: float, longest_wait: float = LONGEST_WAIT_S) -> str:
    """What a factor means, for the report."""
    return (
        f"A second took {factor:.3g} s, no wait more than {longest_wait:.2g} s, and no gate more than "
        f"{LONGEST_ANSWER_S:g} s."
    )
