"""Intervals that hold at every look at once, so that one may look as often as one likes and stop when one likes. Pure.

*Fixed shares*: the difference of two means is followed by the mixture sequential probability ratio test with a normal
mixture of standard deviation tau over the effect (Robbins 1970; Johari, Koomen, Pekelis and Walsh, "Peeking at A/B
Tests", KDD 2017, and "Always Valid Inference", Operations Research 2022). With V the variance of the estimated
difference, ``ln likelihood ratio = ln(V / (V + tau²)) / 2 + tau² d² / (2 V (V + tau²))``;
where it reaches ln(1 / error rate), the null hypothesis goes, and by Ville's inequality this ever happens to a true one
with at most the error rate. Inverted, it is the normal-mixture confidence sequence of Howard, Ramdas, McAuliffe and
Sekhon ("Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 2021, section 3.2).
Variances are estimated, so that the guarantee is asymptotic (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
"Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 2024): hence the minimum
of samples, and the simulations in the tests.

*Shares that follow the results*: the same, of the average of the differences within times of equal shares
(``strata.py``).

*One variant*, for a report: an interval that holds at every number of its samples. A proportion's is exact: the beta
mixture of Bernoulli likelihood ratios (Robbins 1970; Howard et al. 2021, section 3.2) with Jeffreys' prior. A mean's is
the same normal mixture as above.
"""

import math
from dataclasses import dataclass

from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, Metric

_JEFFREYS = 0.5
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and how far it may be off.

    :param estimate: the most plausible value.
    :param low: the truth is not below, at any look.
    :param high: nor above.
    """

    estimate: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, -math.inf, math.inf)


def half_width(error_squared: float, effect: float, error_rate: float) -> float:
    """How far an estimate may be off: ``sqrt(V (V + tau²) / tau² (ln((V + tau²) / V) + 2 ln(1 / a)))``.

    :param error_squared: V, the variance of the estimate.
    :param effect: tau, the size of effect that the mixture expects; the interval is narrowest about there.
    :param error_rate: a, the chance that any of the intervals misses the truth.
    """
    if not math.isfinite(error_squared):
        return math.inf
    both = error_squared + effect * effect
    return math.sqrt(error_squared * both / effect**2 * (math.log(both / error_squared) - 2 * math.log(error_rate)))


def p_value(estimate: float, error_squared: float, effect: float) -> float:
    """The smallest error rate at which the interval about ``estimate`` leaves 0 out: valid at every look."""
    if not math.isfinite(error_squared):
        return 1.0
    both = error_squared + effect * effect
    log_ratio = math.log(error_squared / both) / 2 + effect**2 * estimate**2 / (2 * error_squared * both)
    return math.exp(-max(0.0, log_ratio))


def difference(control: Sample, challenger: Sample, metric: Metric, error_rate: float) -> Interval:
    """How much more the challenger has, under shares that do not follow the results."""
    if not (control.count and challenger.count):
        return UNKNOWN
    return about(
        challenger.mean - control.mean, control.error_squared + challenger.error_squared, metric.effect, error_rate
    )


def about(estimate: float, error_squared: float, effect: float, error_rate: float) -> Interval:
    """The interval about an estimate of this variance; see ``half_width``."""
    if not math.isfinite(error_squared):
        return UNKNOWN if math.isnan(estimate) else Interval(estimate, -math.inf, math.inf)
    half = half_width(error_squared, effect, error_rate)
    return Interval(estimate, estimate - half, estimate + half)


def alone(sample: Sample, metric: Metric, error_rate: float) -> Interval:
    """The mean of one variant, whoever chose its number of samples."""
    if not sample.count:
        return UNKNOWN
    if metric.kind == BINARY:
        return _proportion(sample, error_rate)
    half = half_width(sample.error_squared, metric.effect, error_rate)
    return Interval(sample.mean, sample.mean - half, sample.mean + half)


def _proportion(sample: Sample, error_rate: float) -> Interval:
    """Every proportion against which the mixture's likelihood ratio is below 1 / error rate."""
    hits, misses = sample.successes, sample.count - sample.successes
    bound = _log_beta(_JEFFREYS + hits, _JEFFREYS + misses) - _log_beta(_JEFFREYS, _JEFFREYS) + math.log(error_rate)
    return Interval(
        sample.mean,
        0.0 if not hits else _crossing(0.0, sample.mean, hits, misses, bound),
        1.0 if not misses else _crossing(1.0, sample.mean, hits, misses, bound),
    )


def _crossing(outside: float, inside: float, hits: int, misses: int, bound: float) -> float:
    """Where the log likelihood, which is highest at ``inside``, falls to ``bound``; the side towards ``outside``."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if middle in {outside, inside}:
            break
        if hits * math.log(middle) + misses * math.log1p(-middle) > bound:
            inside = middle
        else:
            outside = middle
    return outside


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
