"""What the statistics are computed from: number, mean and variance of one metric of one variant. Pure."""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext

from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, Metric
from mlplatform_cdk.runtimekit.ab_test.tallies import Sums, Tally

_DIGITS = 80  # the square of a sum of 38 digits, exactly


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric of one variant.

    :param count: how many values.
    :param mean: theirs.
    :param variance: theirs, as far as it is known; infinite: it is not.
    """

    count: int
    mean: float
    variance: float

    @property
    def successes(self) -> int:
        """Of a binary metric."""
        return round(self.mean * self.count)

    @property
    def error_squared(self) -> float:
        """The variance of the mean."""
        return self.variance / self.count if self.count else math.inf


def sample_of(metric: Metric, tally: Tally) -> Sample:
    """``metric`` as ``tally`` has it.

    A proportion's variance is taken at (successes + 1/2) / (n + 1), as if Jeffreys' prior had been seen, so that it is
    never 0 while a proportion is rare; the mean stays what was seen.
    """
    sums = tally.metrics.get(metric.name, Sums())
    count = tally.exposed if metric.unreported_is_zero else sums.count
    if not count:
        return Sample(0, math.nan, math.inf)
    mean = float(sums.total / count)
    if metric.kind == BINARY:
        near = (float(sums.total) + 0.5) / (count + 1)
        return Sample(count, mean, near * (1 - near))
    return Sample(count, mean, _variance(count, sums))


def _variance(count: int, sums: Sums) -> float:
    """The unbiased variance; values that are all the same say nothing of it."""
    if count < 2:  # noqa: PLR2004
        return math.inf
    with localcontext() as exactly:
        exactly.prec = _DIGITS
        spread = (sums.squares - sums.total * sums.total / Decimal(count)) / (count - 1)
    return float(spread) if spread > 0 else math.inf
