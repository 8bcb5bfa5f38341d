"""Is a model good enough to serve without a person's look? No clock, no network, no environment."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a version, and why.

    :param approved: may it serve.
    :param reason: one sentence for whoever looks at the version later.
    """

    approved: bool
    reason: str


def decide(metrics: Mapping[str, float], *, metric: str, at_least: float) -> Decision:
    """Approve when ``metric`` is known and at least ``at_least``; a metric that is not a number never is."""
    value = metrics.get(metric)
    if value is None:
        known = ", ".join(sorted(metrics)) or "no metrics"
        return Decision(approved=False, reason=f"waits for a person: the rule reads {metric}, the model has {known}")
    if value >= at_least:
        return Decision(approved=True, reason=f"approved by rule: {metric} {value:.6g} is at least {at_least:g}")
    return Decision(approved=False, reason=f"waits for a person: {metric} {value:.6g} is below {at_least:g}")
