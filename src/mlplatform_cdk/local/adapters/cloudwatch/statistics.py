"""CloudWatch's statistics of what was measured in one period, percentiles and percentile ranks among them. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import bisect
import math
import re
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PERCENTILE = re.compile(r"[pP](\d{1,2}(?:\.\d{1,10})?|100(?:\.0+)?)")
_RANGE = re.compile(r"(PR|TC)\((-?[\d.]*):(-?[\d.]*)\)", re.IGNORECASE)


class UnknownStatistic(ValueError):
    """A statistic that the embedded AWS does not compute, or that is none."""


class Summary:
    """The values of one period.

    :param values: each value and how often it was measured.
    :param sets: statistic sets of several values each: how many, their sum, the least and the greatest.
    """

    def __init__(
        self,
        values: Iterable[tuple[float, float]],
        sets: Iterable[tuple[float, float, float, float]] = (),
    ) -> None:
        pairs = sorted(values)
        self._values = [value for value, _ in pairs]
        self._counts = list(accumulate(count for _, count in pairs))  # how many up to each value
        self._sets = list(sets)
        self.count = (self._counts[-1] if pairs else 0.0) + sum(one[0] for one in self._sets)
        self.sum = math.fsum(value * count for value, count in pairs) + sum(one[1] for one in self._sets)

    def of(self, statistic: str) -> float | None:
        """A statistic by its name, such as ``Sum``, ``p99.9``, ``PR(:300)`` or ``TC(100:)``.

        :raises UnknownStatistic: for trimmed and winsorized means, and for what is no statistic.
        :returns: None where the period has no data, or only statistic sets, of which no percentile is known.
        """
        if self.count == 0:
            require_known(statistic)
            return None
        if statistic in _PLAIN:
            return self._plain(statistic)
        percentile = _PERCENTILE.fullmatch(statistic)
        if percentile:
            return self._percentile(float(percentile[1]))
        bounds = _RANGE.fullmatch(statistic)
        if not bounds:
            raise unknown(statistic)
        if self._sets:
            return None
        inside = self._up_to(bounds[3]) - (self._up_to(bounds[2]) if bounds[2] else 0.0)
        return 100 * inside / self.count if bounds[1].upper() == "PR" else inside

    def _plain(self, statistic: str) -> float:
        if statistic == "SampleCount":
            return self.count
        if statistic == "Sum":
            return self.sum
        if statistic == "Average":
            return self.sum / self.count
        least, greatest = [*self._values[:1]], [*self._values[-1:]]
        if statistic == "Minimum":
            return min(least + [one[2] for one in self._sets])
        return max(greatest + [one[3] for one in self._sets])

    def _percentile(self, percent: float) -> float | None:
        """The least value that ``percent`` of all do not exceed."""
        if self._sets:
            return None
        place = bisect.bisect_left(self._counts, percent / 100 * self._counts[-1])
        return self._values[min(place, len(self._values) - 1)]

    def _up_to(self, bound: str) -> float:
        """How many values are ``bound`` or less; an open bound is none."""
        place = bisect.bisect_right(self._values, float(bound)) if bound else len(self._values)
        return self._counts[place - 1] if place else 0.0


_PLAIN = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")


def require_known(statistic: str) -> None:
    """Refuse what ``Summary.of`` does not compute.

    :raises UnknownStatistic: naming what it does.
    """
    if statistic not in _PLAIN and not _PERCENTILE.fullmatch(statistic) and not _RANGE.fullmatch(statistic):
        raise unknown(statistic)


def unknown(statistic: str) -> UnknownStatistic:
    """The refusal of ``statistic``."""
    return UnknownStatistic(
        f"the embedded AWS does not compute the statistic {statistic}; it knows {', '.join(_PLAIN)}, percentiles such "
        "as p99, and PR and TC with absolute bounds"
    )
