"""Times of equal shares, compared one by one: what drifts for all variants alike is then no difference. Pure.

While shares move, a variant whose share grows has more of the later samples, and the sums of two equal variants come
apart as soon as the rate itself drifts, by the hour or the day of the week. Within a time of equal shares they do not.
The differences of these times are averaged with the weights n m / (n + m) (Cochran, "Some methods for strengthening the
common chi-squared tests", Biometrics 1954), which depend on the numbers of samples alone: weighted and added up, they
are a martingale about the true differences, which is all that the mixture of ``sequential.py`` asks for.
"""

import math
from collections.abc import Sequence
from decimal import localcontext

from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.runtimekit.ab_test.tallies import Sums, Tally

_DIGITS = 60  # of the sums, which lose none
LEAST = 50  # samples of each of the two, before the variance of a time is known


def since(before: Tally, now: Tally) -> Tally:
    """What a variant has gathered after ``before``."""
    metrics = {}
    with localcontext() as exactly:
        exactly.prec = _DIGITS
        for name, sums in now.metrics.items():
            known = before.metrics.get(name, Sums())
            metrics[name] = Sums(sums.count - known.count, sums.total - known.total, sums.squares - known.squares)
    return Tally(now.exposed - before.exposed, metrics)


def estimate(pairs: Sequence[tuple[Sample, Sample]]) -> tuple[float, float]:
    """How much more the challenger has, on average over the times, and the variance of that; (nan, inf): not known.

    :param pairs: of each time, the samples of the control and of the challenger.
    """
    weights = weighted = variance = 0.0
    for control, challenger in pairs:
        error_squared = control.error_squared + challenger.error_squared
        if min(control.count, challenger.count) < LEAST or not math.isfinite(error_squared):
            continue
        weight = control.count * challenger.count / (control.count + challenger.count)
        weights += weight
        weighted += weight * (challenger.mean - control.mean)
        variance += weight * weight * error_squared
    return (weighted / weights, variance / weights**2) if weights else (math.nan, math.inf)
