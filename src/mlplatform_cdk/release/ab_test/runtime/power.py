"""How many samples a test takes: what one has to know before one starts it. Pure."""

import math
from statistics import NormalDist

from mlplatform_cdk.release.ab_test.runtime.sequential import half_width
from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, TestPlan

_NORMAL = NormalDist()
_MOST = 10**12


def power_at(count: int, *, effect: float, variances: tuple[float, float], tuned_to: float, error_rate: float) -> float:
    """The chance that the interval at this many samples per variant leaves 0 out; looking earlier only adds to it.

    :param count: samples of each of the two variants.
    :param effect: the true difference.
    :param variances: of one sample of the control and of the challenger.
    :param tuned_to: the metric's ``effect``.
    :param error_rate: of this comparison.
    """
    error_squared = sum(variances) / count
    half = half_width(error_squared, tuned_to, error_rate)
    return _NORMAL.cdf((abs(effect) - half) / math.sqrt(error_squared))


def samples_needed(
    plan: TestPlan, *, base: float, deviation: float | None = None, variants: int = 2, power: float = 0.8
) -> int:
    """How many samples each variant needs until the plan's ``effect`` is found with at least this ``power``.

    An upper bound: the test mostly ends earlier, since it may end at any look. It is for fixed, equal shares.

    :param plan: the test's.
    :param base: the control's mean, such as a conversion rate.
    :param deviation: the standard deviation of one sample; of a binary metric it follows from ``base``.
    :param variants: how many, the control among them; default: 2.
    :param power: default: 0.8.
    :raises ValueError: when a binary metric cannot have this base, or another one has no deviation.
    """
    effect, rate = plan.metric.effect, plan.error_rate / (variants - 1)
    variances = _variances(plan, base, deviation)

    def enough(count: int) -> bool:
        found = power_at(count, effect=effect, variances=variances, tuned_to=effect, error_rate=rate)
        return found >= power

    most = 1
    while not enough(most) and most < _MOST:
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return max(most, plan.minimum_samples)


def _variances(plan: TestPlan, base: float, deviation: float | None) -> tuple[float, float]:
    metric = plan.metric
    if metric.kind == BINARY:
        other = base + metric.effect * (1 if metric.goal == "increase" else -1)
        if not (0 < base < 1 and 0 <= other <= 1):
            raise ValueError(f"base and base with the effect must be proportions, got {base:g} and {other:g}")
        return base * (1 - base), other * (1 - other)
    if deviation is None or deviation <= 0:
        raise ValueError(f"deviation must be given for {metric.name}, above 0, got {deviation}")
    return deviation**2, deviation**2
