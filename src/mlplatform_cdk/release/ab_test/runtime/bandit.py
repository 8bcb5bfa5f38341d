"""Thompson sampling: shares that follow the chance of being the best. Pure; the same seed gives the same shares.

Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two samples",
Biometrika 1933; batched, by shares, as in Scott, "A modern Bayesian look at the multi-armed bandit", 2010. A proportion
has Jeffreys' prior; a mean is normal about what was seen, which is the posterior under a flat prior at many samples.
"""

import random
from collections.abc import Sequence

from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, INCREASE, Metric

_DRAWS = 4000
_JEFFREYS = 0.5


def chances_of_best(samples: Sequence[Sample], metric: Metric, *, seed: str) -> list[float]:
    """For each variant, the chance that it is the best of all.

    :param samples: of the variants; each has some.
    :param metric: what they are of.
    :param seed: of the draws, such as the run and the number of the look.
    """
    source = random.Random(seed)  # noqa: S311 - no secret; it has to repeat
    sign = 1 if metric.goal == INCREASE else -1
    wins = [0] * len(samples)
    for _ in range(_DRAWS):
        drawn = [sign * _draw(source, sample, metric) for sample in samples]
        wins[drawn.index(max(drawn))] += 1
    return [won / _DRAWS for won in wins]


def chances_by_differences(ahead: Sequence[tuple[float, float]], metric: Metric, *, seed: str) -> list[float]:
    """For the control and each challenger, the chance that it is the best, when shares have moved.

    :param ahead: of each challenger, how much more it has than the control, and the variance of that (``strata.py``).
    :param metric: what it is of.
    :param seed: of the draws.
    """
    source = random.Random(seed)  # noqa: S311 - no secret; it has to repeat
    sign = 1 if metric.goal == INCREASE else -1
    wins = [0] * (1 + len(ahead))
    for _ in range(_DRAWS):
        drawn = [0.0, *(sign * source.gauss(more, variance**0.5) for more, variance in ahead)]
        wins[drawn.index(max(drawn))] += 1
    return [won / _DRAWS for won in wins]


def guarded(chances: Sequence[float], minimum: float) -> list[float]:
    """Shares by these chances, none below ``minimum``: what is above it is divided by the chances.

    :param chances: they add up to 1.
    :param minimum: at most 1 divided by their number.
    """
    free = 1 - minimum * len(chances)
    return [minimum + free * chance for chance in chances]


def _draw(source: random.Random, sample: Sample, metric: Metric) -> float:
    if metric.kind == BINARY:
        hits = sample.successes
        return source.betavariate(_JEFFREYS + hits, _JEFFREYS + sample.count - hits)
    return source.gauss(sample.mean, sample.error_squared**0.5)
