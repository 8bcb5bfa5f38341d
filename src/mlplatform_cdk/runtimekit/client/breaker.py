"""Whether a region is asked: it is left after failures, tried by one call at a time, and returned to by and by.

A circuit breaker (Nygard, "Release It!") whose last state is a slow start in place of all or nothing. No lock and no
clock of its own: who asks brings both.
"""

from collections import deque
from collections.abc import Callable

from mlplatform_cdk.runtimekit.client.policy import Breaking

FIRST_SHARE = 0.05


class Breaker:
    """One region's breaker.

    :param rules: when it opens, and how it closes.
    :param chance: a random number from 0 to 1.
    """

    def __init__(self, rules: Breaking, chance: Callable[[], float]) -> None:
        self._rules, self._chance = rules, chance
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=rules.window)
        self._in_a_row = 0
        self._since = -float("inf")  # outcomes of attempts that began earlier say nothing about now
        self._open_until: float | None = None
        self._returning_from: float | None = None
        self._probing = False
        self._rest_s = rules.rest_s

    @property
    def open_until(self) -> float | None:
        """When the region is tried again; None: it is not left alone."""
        return self._open_until

    def state(self, now: float) -> str:
        """``closed``, ``open``, ``half-open`` or ``returning``."""
        if self._open_until is not None:
            return "half-open" if self._probing or now >= self._open_until else "open"
        return "closed" if self.share(now) == 1 else "returning"

    def share(self, now: float) -> float:
        """The part of the calls that may begin here, were it the best region."""
        if self._open_until is not None:
            return 1.0 if now >= self._open_until and not self._probing else 0.0
        if self._returning_from is None:
            return 1.0
        return min(1.0, max(FIRST_SHARE, (now - self._returning_from) / self._rules.return_s))

    def begin(self, now: float) -> bool:
        """Note that an attempt begins; True: it is the one that tries whether the region is back."""
        if self._open_until is None or now < self._open_until or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self, now: float, *, began: float, probe: bool) -> None:
        """Note that an attempt that began at ``began`` was answered."""
        self._probing = self._probing and not probe
        if began < self._since:
            return
        if self._open_until is not None:
            self._open_until, self._returning_from = None, now
            self._forget(now)
        self._in_a_row = 0
        self._outcomes.append((now, True))

    def restart(self, now: float) -> None:
        """Return to the region by and by, though it was not left for its failures."""
        if self._open_until is None:
            self._returning_from = now

    def failed(self, now: float, *, began: float, probe: bool) -> None:
        """Note that an attempt that began at ``began`` failed."""
        self._probing = self._probing and not probe
        if probe:
            self._open(now, longer=True)
        elif self._open_until is None and began >= self._since:
            self._in_a_row += 1
            self._outcomes.append((now, False))
            if self._in_a_row >= self._rules.in_a_row or self._too_many(now):
                self._open(now, longer=self.share(now) < 1)

    def abandoned(self, now: float, *, probe: bool) -> None:
        """Note that nobody waited for an attempt's outcome."""
        self._probing = self._probing and not probe
        if probe:
            self._open(now, longer=False)

    def _too_many(self, now: float) -> bool:
        while self._outcomes and self._outcomes[0][0] < now - self._rules.window_s:
            self._outcomes.popleft()
        failures = sum(not fine for _, fine in self._outcomes)
        return failures >= self._rules.share * self._rules.window

    def _open(self, now: float, *, longer: bool) -> None:
        if longer:
            self._rest_s = min(self._rules.longest_rest_s, self._rest_s * 2)
        elif self._open_until is None:
            self._rest_s = self._rules.rest_s
        self._open_until = now + self._rest_s * (0.5 + 0.5 * self._chance())
        self._forget(now)

    def _forget(self, now: float) -> None:
        self._since = now
        self._in_a_row = 0
        self._outcomes.clear()
