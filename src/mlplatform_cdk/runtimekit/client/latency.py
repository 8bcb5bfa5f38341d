"""How fast a region answers: an average that orders the regions, and the quantile above which a call is slow."""

import math
from collections import deque

_MEMORY_S = 10.0  # as Finagle's Peak EWMA load metric
_HALVED_AFTER_S = 300.0
_KEPT = 256
_ENOUGH = 20
_STALE_AFTER = 16


class Latency:
    """What is known of one region's answers."""

    def __init__(self) -> None:
        self._average = 0.0
        self._at = -math.inf
        self._recent: deque[float] = deque(maxlen=_KEPT)
        self._quantiles: dict[float, float] = {}
        self._new = 0

    def observe(self, now: float, seconds: float) -> None:
        """Note an answer after ``seconds``."""
        weight = math.exp(-(now - self._at) / _MEMORY_S)
        self._average = weight * self._average + (1 - weight) * seconds
        self._at = now
        self._recent.append(seconds)
        self._new += 1

    def at_least(self, now: float, seconds: float) -> None:
        """Note that there was no answer within ``seconds``, which says something only where answers are faster."""
        if seconds > self._average:
            self.observe(now, seconds)

    def estimate(self, now: float) -> float:
        """Seconds of the next answer; 0 where none is known.

        What is not observed again halves every five minutes, so that a region that was slow is asked again.
        """
        if not self._recent:
            return 0.0
        return float(self._average * 2 ** -((now - self._at) / _HALVED_AFTER_S))

    def quantile(self, part: float) -> float | None:
        """Seconds within which ``part`` of the last 256 answers came; None: fewer than 20 are known."""
        if len(self._recent) < _ENOUGH:
            return None
        if self._new >= _STALE_AFTER:
            self._new = 0
            self._quantiles.clear()
        if part not in self._quantiles:
            self._quantiles[part] = sorted(self._recent)[math.ceil(part * len(self._recent)) - 1]
        return self._quantiles[part]
