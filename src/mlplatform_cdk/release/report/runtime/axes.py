"""Where a chart has its marks, and what stands at them. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlplatform_cdk.runtimekit.release_facts import since

_S, _M, _H, _D = 1, 60, 3600, 86400
_STEPS = (
    *(step * _S for step in (1, 2, 5, 10, 15, 30)),
    *(step * _M for step in (1, 2, 5, 10, 15, 30)),
    *(step * _H for step in (1, 2, 3, 6, 12)),
    *(step * _D for step in (1, 2, 7)),
)


@dataclass(frozen=True, slots=True)
class Time:
    """An axis of time.

    :param zero: what is written as 0, the start of the release.
    :param start: its left end.
    :param end: its right end.
    """

    zero: datetime
    start: datetime
    end: datetime

    def place(self, moment: datetime) -> float:
        """From 0 at the left end to 1 at the right one."""
        length = (self.end - self.start).total_seconds() or 1.0
        return min(max((moment - self.start).total_seconds() / length, 0.0), 1.0)

    def marks(self, most: int = 8) -> Iterator[tuple[float, str]]:
        """Places with their labels, at most so many."""
        length = (self.end - self.start).total_seconds()
        step = next((one for one in _STEPS if length / one <= most), _STEPS[-1])
        first = math.ceil((self.start - self.zero).total_seconds() / step)
        last = math.floor((self.end - self.zero).total_seconds() / step)
        for number in range(first, last + 1):
            yield self.place(self.zero + timedelta(seconds=number * step)), since(number * step, exact=False)


def top_of(greatest: float) -> tuple[float, float]:
    """The upper end of an axis of values that begins at 0, and the step of its marks: 1, 2 or 5 times a power of 10."""
    if greatest <= 0:
        return 1.0, 0.5
    rough = greatest / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough)
    return math.ceil(greatest / step) * step, step


def number(value: float) -> str:
    """``12k`` of 12000, and no more figures than are read."""
    if abs(value) >= 10_000:  # noqa: PLR2004 - from here on zeros are noise
        return f"{value / 1000:g}k"
    return f"{value:.4g}"
