"""How long batches take, and so when a request would be answered: what admission, batches and deadlines go by.

Nothing here reads a clock or knows of threads. docs/serving.md has the formulas.
"""

from collections.abc import Iterable

from mlplatform_cdk.serving.container.pace import Pace

_WINDOW_SECONDS = 0.5  # of computing: what the level is learnt from, unless batches are so long that these are few
_LEAST_BATCHES = 8
_TOGETHER_SECONDS = 0.001  # of computing: shorter batches are learnt together, or that would cost a tenth of them
_TRUST_SECONDS = 0.1  # of computing: how much the warm-up counts at first
_FIRST_SPREAD = 0.1
# Mean deviations above the mean that one batch is allowed for, about the 95th percentile, and those before it together,
# of which most even out.
_SPREADS, _SPREADS_BEFORE = 2.0, 0.2
_ADMITTED_SHARE = 5 / 6  # of the deadline: the rest is for what estimates are off by
# Of the deadline that a batch may last, where smaller ones are possible; the larger share where they would be dear.
_BATCH_SHARE, _DEAR_BATCH_SHARE = 0.25, 0.4
# While others compute, what waits is not divided into batches of which their own time is more than a fifth: that cost a
# machine that is nearly full up to a third more mean time, and one that is overfull a tenth of its answers.
_DIVISIBLE = 4
_SHORTEST = 1e-6


class Load:
    """What a model's batches take, learnt from them: ``level * (base + each * rows)``, whose shape the warm-up tells.

    The level is a ratio of sums, of the seconds that batches took and those that they should have taken: a hiccup
    counts with the share of time that it took, not with the number of rows that it hit.

    :param pace: what the warm-up measured.
    :param lanes: how many batches are computed at once.
    :param most_rows: in a batch, but for a request that has more by itself.
    :param deadline: after how many seconds requests are late that say nothing else.
    """

    def __init__(self, pace: Pace, *, lanes: int, most_rows: int, deadline: float) -> None:
        self._lanes, self._most = lanes, most_rows
        self._deadline = deadline
        self._base0, self._each0 = _shape(pace)
        self._first = pace.rows
        one = self._base0 + self._each0 * pace.rows
        self._expected = self._taken = max(_TRUST_SECONDS, _LEAST_BATCHES / 2 * one)
        self._off = _FIRST_SPREAD * self._taken
        self._new_off = self._new_taken = self._new_expected = 0.0
        self._refresh()

    def learn(self, seconds: float, rows: int) -> None:
        """Take into account that a batch of ``rows`` took ``seconds``."""
        self._new_taken += seconds
        self._new_expected += self._base0 + self._each0 * rows
        self._new_off += abs(seconds - self._base - self._each * rows)
        if self._new_taken >= _TOGETHER_SECONDS:
            self._take_in()

    def _take_in(self) -> None:
        keep = max(1 - self._new_taken / _WINDOW_SECONDS, 1 - 1 / _LEAST_BATCHES)
        self._off = self._off * keep + self._new_off
        self._taken = self._taken * keep + self._new_taken
        self._expected = self._expected * keep + self._new_expected
        self._new_off = self._new_taken = self._new_expected = 0.0
        self._refresh()

    def seconds(self, rows: float) -> float:
        """What a batch of ``rows`` takes in the mean."""
        return self._base + self._each * rows

    def nearly_surely(self, rows: float) -> float:
        """What a batch of ``rows`` takes with an allowance for how much batches differ."""
        return self._allowance * (self._base + self._each * rows)

    def rows_within(self, seconds: float) -> int:
        """The most rows of a batch that nearly surely takes no longer.

        Never so few that the batch's own time would be more than half of it: that would cost the others too much.

        :param seconds: how long the batch may take.
        """
        return max(self._least, min(self.biggest, int((seconds / self._allowance - self._base) / self._each)))

    def biggest_among(self, queues: int) -> int:
        """The most rows of a batch where so many queues take turns: together they last as long as one that is alone.

        As in ``rows_within``, never so few that the batch's own time would be more than half of it.
        """
        if queues == 1:
            return self.biggest
        return max(self._least, min(self.biggest, int((self._longest / queues - self._base) / self._each)))

    def share(self, rows: int, *, sharers: int, free: int, queues: int) -> int:
        """The most rows of the batch of one of ``sharers`` where ``rows`` wait.

        Never so few that the batch's own time would be more than half of it, as in ``rows_within``, or than a fifth,
        where nobody has nothing to do but the one that asks.

        :param free: of the sharers, those that have nothing to do; the one that asks is one of them.
        :param queues: as in ``biggest_among``.
        """
        together = min(max(-(-rows // free), self._least), self._undivided)
        return min(max(-(-rows // sharers), together), self.biggest_among(queues))

    def wait(self, rows: int, ahead: int, remaining: float) -> float:
        """Seconds until a batch with a request of ``rows`` begins.

        Graham's bound for lists of jobs on equal machines (1966): all that lies before the batch, shared by the lanes.

        :param ahead: rows that wait before it.
        :param remaining: seconds of computing left in what the lanes have begun, all together.
        """
        alone = max(0, ahead + rows - self.biggest)  # rows before it that do not fit into the same batch
        return (remaining + min(alone, ahead) * self._row) / self._lanes

    def answered_in(self, rows: int, ahead: int, remaining: float) -> float:
        """Seconds until a request of ``rows`` is answered; the parameters are those of ``wait``."""
        together = min(ahead + rows, max(self.biggest, rows))
        return self._before * self.wait(rows, ahead, remaining) + self.nearly_surely(together)

    def excess(self, rows: int, ahead: int, remaining: float, deadline: float) -> float:
        """By how many seconds the answer would be later than what may be promised; 0 and less: it is in time.

        :param deadline: when the answer is late, in seconds from now; the other parameters are those of ``wait``.
        """
        if self._slow:
            return self.wait(rows, ahead, remaining) - deadline / 2
        return self.answered_in(rows, ahead, remaining) - _ADMITTED_SHARE * deadline

    def patience(self, rows: int, deadline: float) -> float:
        """After how long a wait a request of ``rows`` need not be begun any more, since it would be late."""
        needed = self.nearly_surely(rows)
        return deadline - needed if needed < deadline else deadline / 2

    def _refresh(self) -> None:
        level = self._taken / self._expected
        self._base, self._each = level * self._base0, level * self._each0
        self._allowance = 1 + _SPREADS * self._off / self._taken
        self._before = 1 + _SPREADS_BEFORE * self._off / self._taken
        longest = min(max(_BATCH_SHARE * self._deadline, 4 * self._base), _DEAR_BATCH_SHARE * self._deadline)
        self._longest = longest
        self.biggest = max(1, min(self._most, int((longest - self._base) / self._each)))
        self._least = max(1, min(self.biggest, round(self._base / self._each)))
        self._undivided = max(self._least, round(_DIVISIBLE * self._base / self._each))
        # Every answer is late: such a model serves all the same, but with a short queue.
        self._slow = self._base + self._each * self._first >= self._deadline
        self._row = self._base / self.biggest + self._each


def remaining(ends: Iterable[float], now: float) -> float:
    """Seconds of computing left in batches that should end at ``ends``; an overdue one lasts half as long again."""
    return sum(max(end - now, (now - end) / 2) for end in ends)


def _shape(pace: Pace) -> tuple[float, float]:
    """What a batch takes by itself, and what each row adds; one row's worth is never nothing."""
    one = max(pace.seconds, _SHORTEST)
    if pace.full_rows <= pace.rows:
        return 0.0, one / pace.rows
    each = max((pace.full_seconds - one) / (pace.full_rows - pace.rows), one / 1000 / pace.rows)
    each = min(each, one / pace.rows)
    return one - each * pace.rows, each
