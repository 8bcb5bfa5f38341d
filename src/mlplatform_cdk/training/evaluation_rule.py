"""Which model is good enough to be registered."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlplatform_cdk.training.evaluate.runtime.rules import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRule:
    """What a new model must show on the holdout.

    :param minimum: the least that each named metric must reach (for ``log_loss``, the most); default: no bound.
    :param compare_by: the metric by which it is compared with the model in production; default: roc_auc.
    :param tolerance: how much worse than production is still accepted; default: 0.
    """

    minimum: Mapping[str, float] = field(default_factory=dict)
    compare_by: str = "roc_auc"
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse metrics that evaluation does not measure, and bounds that are no numbers."""
        unknown = {*self.minimum, self.compare_by} - METRICS.keys()
        if unknown:
            raise ValueError(
                f"minimum and compare_by must name any of {', '.join(METRICS)}, got {', '.join(sorted(unknown))}"
            )
        if not all(math.isfinite(bound) for bound in self.minimum.values()):
            raise ValueError(f"minimum must give each metric a finite number, got {dict(self.minimum)}")
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"tolerance must be a number of at least 0, got {self.tolerance}")

    def environment(self) -> dict[str, str]:
        """The rule as the evaluation job's settings."""
        return {
            "MINIMUM_METRIC": json.dumps(dict(self.minimum), sort_keys=True),
            "COMPARE_BY": self.compare_by,
            "TOLERANCE": repr(float(self.tolerance)),
        }
