"""Each challenger beside the control, by each metric: what is proven, and what is not. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import sequential, strata
from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.release.ab_test.runtime.sequential import Interval
from mlplatform_cdk.runtimekit.ab_test.plan import FIXED, INCREASE, Guard, Metric, TestPlan

GUARD = "guard "


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One challenger and the control, by one metric.

    :param variant: the challenger.
    :param metric: the metric's name.
    :param samples: of the control and of the challenger.
    :param interval: how much more the challenger has.
    :param p_value: valid at every look, not corrected for the other comparisons.
    :param better: is the challenger proven to be better; never of a guard.
    :param worse: is it proven to be worse; of a guard, by more than the margin.
    :param gain: how much better it seems, whichever way is better.
    :param sentence: what is proven.
    """

    variant: str
    metric: str
    samples: tuple[Sample, Sample]
    interval: Interval
    p_value: float
    better: bool
    worse: bool
    gain: float
    sentence: str


def all_of(
    plan: TestPlan, times_of: Callable[[Metric], Sequence[Sequence[Sample]]], variants: Sequence[str]
) -> dict[str, tuple[Comparison, ...]]:
    """By metric, the comparison of every challenger with the control.

    :param plan: the test's.
    :param times_of: a metric's samples, the control's first: all of them, then those of each time of equal shares.
    :param variants: their names in the same order.
    """
    rate = plan.error_rate / 2 if plan.guards else plan.error_rate
    found = {plan.metric.name: _of(plan, plan.metric, None, times_of(plan.metric), variants, rate)}
    for guard in plan.guards:
        times = times_of(guard.metric)
        found[guard.metric.name] = _of(plan, guard.metric, guard, times, variants, rate / len(plan.guards))
    return found


def interval_of(plan: TestPlan, sample: Sample, variants: int) -> Interval:
    """The mean of one variant by the metric that decides, for a report; it holds together with the others'."""
    return sequential.alone(sample, plan.metric, plan.error_rate / variants)


def finite(interval: Interval) -> tuple[float | None, float | None]:
    """The ends of ``interval`` as JSON takes them; None: nothing is known on that side."""
    low, high = interval.low, interval.high
    return low if math.isfinite(low) else None, high if math.isfinite(high) else None


def to_mapping(one: Comparison) -> dict[str, Any]:
    """``one`` as JSON takes it."""
    low, high = finite(one.interval)
    return {
        "variant": one.variant,
        "metric": one.metric,
        "estimate": one.interval.estimate if math.isfinite(one.interval.estimate) else None,
        "low": low,
        "high": high,
        "p_value": one.p_value,
        "better": one.better,
        "worse": one.worse,
    }


def _of(
    plan: TestPlan,
    metric: Metric,
    guard: Guard | None,
    times: Sequence[Sequence[Sample]],
    variants: Sequence[str],
    rate: float,
) -> tuple[Comparison, ...]:
    whole, *parts = times
    compared = []
    for index, variant in enumerate(variants[1:], start=1):
        control, challenger = whole[0], whole[index]
        pairs = [(one[0], one[index]) for one in parts]
        interval, p_value = _interval(plan, metric, (control, challenger), pairs, rate / (len(variants) - 1))
        enough = min(control.count, challenger.count) >= plan.minimum_samples
        compared.append(_judged(variant, metric, guard, (control, challenger), interval, p_value, enough=enough))
    return tuple(compared)


def _interval(
    plan: TestPlan, metric: Metric, whole: tuple[Sample, Sample], parts: Sequence[tuple[Sample, Sample]], rate: float
) -> tuple[Interval, float]:
    if plan.traffic == FIXED:
        control, challenger = whole
        interval = sequential.difference(control, challenger, metric, rate)
        error_squared = control.error_squared + challenger.error_squared
        return interval, sequential.p_value(interval.estimate, error_squared, metric.effect)
    estimate, error_squared = strata.estimate(parts)
    interval = sequential.about(estimate, error_squared, metric.effect, rate)
    return interval, sequential.p_value(estimate, error_squared, metric.effect)


def _judged(
    variant: str,
    metric: Metric,
    guard: Guard | None,
    samples: tuple[Sample, Sample],
    interval: Interval,
    p_value: float,
    *,
    enough: bool,
) -> Comparison:
    up = metric.goal == INCREASE
    gain = interval.estimate if up else -interval.estimate
    least, most = (interval.low, interval.high) if up else (-interval.high, -interval.low)
    better = enough and guard is None and least > 0
    worse = enough and most < -(guard.margin if guard else 0.0)
    return Comparison(
        variant=variant,
        metric=metric.name,
        samples=samples,
        interval=interval,
        p_value=p_value,
        better=better,
        worse=worse,
        gain=gain,
        sentence=_sentence(metric, guard, samples, interval),
    )


def _sentence(metric: Metric, guard: Guard | None, samples: tuple[Sample, Sample], interval: Interval) -> str:
    control, challenger = samples
    said = (
        f"{metric.name} is {challenger.mean:.6g} of {challenger.count} samples, the control's {control.mean:.6g} of "
        f"{control.count}: {interval.estimate:+.4g} (from {interval.low:+.4g} to {interval.high:+.4g})"
    )
    return f"{GUARD}{said}, and {guard.margin:g} is borne" if guard else said
