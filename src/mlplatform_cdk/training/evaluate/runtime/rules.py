"""Which model is good enough: minimums for its metrics, and no worse than the model in production."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.runtimekit import settings
from mlplatform_cdk.runtimekit.settings import SettingError

# What evaluation measures, and whether more of it is better.
METRICS = {"accuracy": True, "roc_auc": True, "f1": True, "log_loss": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a new model must show.

    :param minimums: the least that each metric must reach; for ``log_loss``, the most.
    :param compare_by: the metric by which it is compared with production.
    :param tolerance: how much worse than production is still accepted.
    """

    minimums: Mapping[str, float]
    compare_by: str
    tolerance: float

    @classmethod
    def from_environment(cls) -> "Rules":
        """The rules that the job's environment sets."""
        compare_by = settings.optional("COMPARE_BY", "roc_auc")
        if compare_by not in METRICS:
            raise SettingError(f"COMPARE_BY must be one of {', '.join(METRICS)}, got {compare_by!r}")
        tolerance = settings.number("TOLERANCE", 0.0, least=0.0)
        return cls(minimums=_minimums(), compare_by=compare_by, tolerance=tolerance)

    def reasons_against(self, metrics: Mapping[str, float], production: Mapping[str, float] | None) -> list[str]:
        """Why a model with ``metrics`` is refused; an empty list means that it is accepted."""
        reasons = []
        for name, bound in self.minimums.items():
            if _lacks(name, metrics[name], bound) > 0:
                word = "at least" if METRICS[name] else "at most"
                reasons.append(f"{name} must be {word} {bound:g}, got {metrics[name]:.4f}")
        if production is not None:
            theirs, ours = production[self.compare_by], metrics[self.compare_by]
            if _lacks(self.compare_by, ours, theirs) > self.tolerance:
                reasons.append(
                    f"{self.compare_by} must not be worse than production's {theirs:.4f} "
                    f"by more than {self.tolerance:g}, got {ours:.4f}"
                )
        return reasons


def _lacks(metric: str, value: float, bound: float) -> float:
    return bound - value if METRICS[metric] else value - bound


def _minimums() -> dict[str, float]:
    text = settings.optional("MINIMUM_METRIC", "{}")
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(_is_bound(name, bound) for name, bound in values.items()):
        example = '{"roc_auc": 0.8}'
        raise SettingError(
            f"MINIMUM_METRIC must give numbers to any of {', '.join(METRICS)}, like {example}, got {text}"
        )
    return {name: float(bound) for name, bound in values.items()}


def _is_bound(name: str, bound: object) -> bool:
    return name in METRICS and isinstance(bound, int | float) and not isinstance(bound, bool) and math.isfinite(bound)
