"""Do the intervals hold however often one looks, and is an effect found within the stated samples?

Streams are simulated with fixed seeds. What is compared with scipy is computed there by other means.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from mlplatform_cdk.release.ab_test.runtime.power import power_at, samples_needed
from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.release.ab_test.runtime.sequential import alone, difference, half_width, p_value
from mlplatform_cdk.runtimekit.ab_test.plan import MEAN, Metric, TestPlan
from tests.release.ab_test.streams import samples

RATE = 0.05
LOOKS = np.unique(np.geomspace(200, 6000, 60).astype(int))
RUNS = 600
Draw = Callable[[np.random.Generator, tuple[int, int]], Any]


def converted(rate: float) -> Draw:
    return lambda source, shape: (source.random(shape) < rate).astype(float)


STREAMS = [
    pytest.param(Metric(name="m", effect=0.01), converted(0.02), id="a rare conversion"),
    pytest.param(Metric(name="m", effect=0.03), converted(0.3), id="a frequent conversion"),
    pytest.param(Metric(name="m", kind=MEAN, effect=0.1), lambda s, n: s.normal(5, 1, n), id="a normal mean"),
    pytest.param(Metric(name="m", kind=MEAN, effect=0.1), lambda s, n: s.exponential(1, n), id="a skewed mean"),
]


@pytest.mark.parametrize(("metric", "draw"), STREAMS)
def test_two_equal_variants_differ_at_some_look_no_more_often_than_the_error_rate(metric: Metric, draw: Draw) -> None:
    source = np.random.default_rng(20)
    shape = (RUNS, int(LOOKS[-1]))
    control, challenger = (samples(draw(source, shape), LOOKS, metric) for _ in range(2))

    wrong = naive = 0
    for left, right in zip(control, challenger, strict=True):
        intervals = [difference(a, b, metric, RATE) for a, b in zip(left, right, strict=True)]
        wrong += any(one.low > 0 or one.high < 0 for one in intervals)
        naive += any(
            abs(b.mean - a.mean) > stats.norm.isf(RATE / 2) * math.sqrt(a.error_squared + b.error_squared)
            for a, b in zip(left, right, strict=True)
        )

    assert wrong / RUNS <= RATE
    assert naive / RUNS > 4 * RATE  # the test that is right for one look alone, on the same streams


@pytest.mark.parametrize(
    ("metric", "base", "deviation", "draw"),
    [
        pytest.param(Metric(name="m", effect=0.04), 0.1, None, converted, id="a conversion"),
        pytest.param(
            Metric(name="m", kind=MEAN, effect=0.25),
            5.0,
            2.0,
            lambda mean: lambda s, n: s.normal(mean, 2, n),
            id="a mean",
        ),
    ],
)
def test_an_effect_of_the_stated_size_is_found_within_the_stated_samples(
    metric: Metric, base: float, deviation: float | None, draw: Callable[[float], Draw]
) -> None:
    needed = samples_needed(TestPlan(metric=metric), base=base, deviation=deviation, power=0.8)
    counts = np.unique(np.linspace(200, needed, 40).astype(int))
    source = np.random.default_rng(21)
    control = samples(draw(base)(source, (RUNS, needed)), counts, metric)
    challenger = samples(draw(base + metric.effect)(source, (RUNS, needed)), counts, metric)

    ended = [
        next((a.count for a, b in zip(left, right, strict=True) if difference(a, b, metric, RATE).low > 0), None)
        for left, right in zip(control, challenger, strict=True)
    ]

    found = [count for count in ended if count is not None]
    assert len(found) / RUNS >= 0.8
    assert np.median(found) < 0.7 * needed  # mostly, it ends well before


def test_the_price_of_looking_always_is_less_than_twice_the_samples_of_one_look() -> None:
    base, effect = 0.1, 0.02
    plan = TestPlan(metric=Metric(name="m", effect=effect))
    z = stats.norm.isf(RATE / 2) + stats.norm.ppf(0.8)
    once = z**2 * (base * (1 - base) + (base + effect) * (1 - base - effect)) / effect**2

    assert once < samples_needed(plan, base=base) < 2 * once


def test_more_variants_and_more_power_need_more_samples() -> None:
    plan = TestPlan(metric=Metric(name="m", effect=0.02))

    assert samples_needed(plan, base=0.1) < samples_needed(plan, base=0.1, variants=5)
    assert samples_needed(plan, base=0.1) < samples_needed(plan, base=0.1, power=0.95)


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be proportions, got 0\.995 and 1\.005"):
        samples_needed(TestPlan(metric=Metric(name="m", effect=0.01)), base=0.995)
    with pytest.raises(ValueError, match="deviation must be given for m, above 0, got None"):
        samples_needed(TestPlan(metric=Metric(name="m", kind=MEAN, effect=1.0)), base=5.0)


@pytest.mark.parametrize("variance", [1e-6, 1e-3, 0.2])
def test_interval_and_p_value_are_one_test(variance: float) -> None:
    half = half_width(variance, 0.01, RATE)

    assert p_value(half, variance, 0.01) == pytest.approx(RATE)
    assert p_value(0.0, variance, 0.01) == 1.0
    assert power_at(1, effect=half, variances=(variance, 0.0), tuned_to=0.01, error_rate=RATE) == pytest.approx(0.5)


def test_the_likelihood_ratio_is_the_mixture_that_it_claims_to_be() -> None:
    estimate, variance, tau = 0.03, 1e-4, 0.01

    def mixed(effect: float) -> float:
        found: float = stats.norm.pdf(estimate, effect, math.sqrt(variance)) * stats.norm.pdf(effect, 0, tau)
        return found

    ratio = integrate.quad(mixed, -0.5, 0.5, points=[0.0, 0.03])[0] / stats.norm.pdf(estimate, 0, math.sqrt(variance))

    assert p_value(estimate, variance, tau) == pytest.approx(1 / ratio, rel=1e-6)


@pytest.mark.parametrize(("count", "hits"), [(50, 0), (50, 50), (200, 3), (5000, 1250)])
def test_the_interval_of_a_proportion_ends_where_the_beta_mixture_says(count: int, hits: int) -> None:
    interval = alone(Sample(count, hits / count, 0.0), Metric(name="m", effect=0.01), RATE)

    def log_ratio(truth: float) -> float:
        mixture: float = stats.betabinom.logpmf(hits, count, 0.5, 0.5)
        likelihood: float = stats.binom.logpmf(hits, count, truth)
        return mixture - likelihood

    for end in (interval.low, interval.high):
        if 0 < end < 1:
            assert log_ratio(end) == pytest.approx(math.log(1 / RATE), abs=1e-6)
    assert interval.low <= hits / count <= interval.high
    assert (interval.low == 0, interval.high == 1) == (hits == 0, hits == count)


@pytest.mark.parametrize(("metric", "draw"), STREAMS)
def test_the_interval_of_one_variant_holds_at_all_looks_at_once(metric: Metric, draw: Draw) -> None:
    source = np.random.default_rng(22)
    values = draw(source, (RUNS, int(LOOKS[-1])))
    truth = float(np.mean(draw(source, (2000, 2000))))

    missed = sum(
        any(not (one := alone(sample, metric, RATE)).low <= truth <= one.high for sample in row)
        for row in samples(values, LOOKS, metric)
    )

    assert missed / RUNS <= RATE
