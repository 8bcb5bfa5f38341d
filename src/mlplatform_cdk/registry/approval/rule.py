"""The rule by which a model is approved without a person."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Approve a model whose ``metric`` on the holdout is good enough; all others wait for a person.

    :param metric: as evaluation names it, such as ``roc_auc``; greater is better.
    :param at_least: the smallest value that is approved.
    """

    metric: str
    at_least: float

    def __post_init__(self) -> None:
        """Refuse a rule that could never decide."""
        if not self.metric:
            raise ValueError("an approval rule needs the name of a metric, got nothing; try 'roc_auc'")
        if not math.isfinite(self.at_least):
            raise ValueError(f"an approval rule needs a finite at_least, got {self.at_least}")
