"""Tells a 99th percentile above its bound from one slow answer of a few."""

import math
from collections import deque
from collections.abc import Sequence

_SHARE = 0.01
# What luck explains of a share p of n answers: n p and 3.3 standard deviations, which a normal variable passes once in
# two thousand times, and one more, since few answers are not normal.
_DEVIATIONS, _MORE = 3.3, 1
_FEWEST = 2


class LatencyWindow:
    """The last answers' times against a bound that 99 % of them must keep.

    A 99th percentile above its bound means that more than a hundredth of all answers are slower than it, and such a
    share can be held against luck: of a few answers, one slow one is no percentile. Two that are all of a round's are.

    :param size: how many answers are looked at; default: 60.
    """

    def __init__(self, size: int = 60) -> None:
        self._slow: deque[bool] = deque(maxlen=size)

    def add(self, latencies_ms: Sequence[float], bound_ms: float) -> bool:
        """Take in the times of one round's answers, and say whether the round is slow.

        It is when all of it is slower than the bound, or some of it and, with the answers before it, more than a
        hundredth by more than luck explains. A round without a slow answer is not, whatever was before it.
        """
        slow = [one > bound_ms for one in latencies_ms]
        self._slow.extend(slow)
        if not any(slow):
            return False
        return (len(slow) >= _FEWEST and all(slow)) or self._beyond_luck()

    def _beyond_luck(self) -> bool:
        count = len(self._slow)
        explained = count * _SHARE + _DEVIATIONS * math.sqrt(count * _SHARE * (1 - _SHARE)) + _MORE
        return sum(self._slow) > explained
