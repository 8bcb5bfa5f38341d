"""The verdict on green's golden requests. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed

# In this first shape the latency is recorded against the budget, and judged only where it is out of all proportion:
# a request from here pays for the network and for signing, which the budget does not hold.
GROSSLY = 10.0
OVERHEAD_MS = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One golden request and what came of it.

    :param name: of the request.
    :param problems: what was wrong with the answer.
    :param latency_ms: how long it took.
    """

    name: str
    problems: Sequence[str]
    latency_ms: float


def verdict(trials: Sequence[Trial], *, budget_ms: float) -> dict[str, str | float | int | bool]:
    """The record of tests that were passed.

    :param trials: every request.
    :param budget_ms: how long an answer may take, by the model's manifest.
    :raises ReleaseFailed: naming every problem.
    """
    problems = [problem for trial in trials for problem in trial.problems]
    median = statistics.median(trial.latency_ms for trial in trials)
    limit = most_ms(budget_ms)
    if median > limit:
        problems.append(
            f"half of the answers must take less than {limit:.0f} ms ({GROSSLY:.0f} times the budget of {budget_ms:g} "
            f"ms, and {OVERHEAD_MS:.0f} ms for the way), got {median:.0f} ms"
        )
    if problems:
        raise ReleaseFailed("; ".join(problems))
    within = "within" if median <= budget_ms else "over"
    return {
        "record": f"{len(trials)} golden requests were answered as expected, half of them in {median:.1f} ms or less, "
        f"{within} the budget of {budget_ms:g} ms",
        "requests": len(trials),
        "latency_p50_ms": round(median, 2),
        "latency_max_ms": round(max(trial.latency_ms for trial in trials), 2),
        "budget_ms": budget_ms,
        "within_budget": median <= budget_ms,
    }


def most_ms(budget_ms: float) -> float:
    """From which latency on, in milliseconds, a request from here is out of all proportion to the model's budget."""
    return GROSSLY * budget_ms + OVERHEAD_MS
