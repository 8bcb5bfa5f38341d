"""Threads that compute: one batch each at a time, as many as there are cores, shared by all models."""

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container.engines.cores import usable_cores
from mlplatform_cdk.serving.container.load import remaining

_log = logs.logger("serving")
# What the shares of works are taken from: so many seconds, or of a work with long batches so many of these.
_LATELY_SECONDS, _LATELY_BATCHES = 0.5, 8
# Of the lanes, unless more works than three wait: what is left to one at least. By chance the others may have had all.
_LEAST_LEFT = 1 / 3
_NOTHING = 0.001  # of a lane


class Work(Protocol):
    """A model with requests that wait; ``turn`` is the lanes' own: when it had its last one."""

    turn: int

    def work(self) -> bool:
        """Take a batch and compute it; false where nothing waited."""
        ...

    @property
    def waits(self) -> bool:
        """Whether a request waits for it."""
        ...

    def seconds_of(self, turns: int, among: int) -> float:
        """What it computes in its next ``turns`` at the lanes, one batch each, as far as it has requests for them.

        :param among: how many works wait, itself included, which makes batches shorter.
        """
        ...


@dataclass(slots=True)
class _Lately:
    """What a work had of the lanes at a moment ``at``: how many of them, and the mean seconds of a batch."""

    lanes: float = 0.0
    batch: float = 0.0
    at: float = 0.0

    @property
    def seconds(self) -> float:
        return max(_LATELY_SECONDS, _LATELY_BATCHES * self.batch)

    def lanes_at(self, now: float) -> float:
        return self.lanes * math.exp(min(0.0, self.at - now) / self.seconds)

    def add(self, seconds: float, now: float) -> None:
        self.batch += (seconds - self.batch) / (_LATELY_BATCHES if self.batch else 1)
        self.lanes, self.at = self.lanes_at(now) + seconds / self.seconds, now


class Lanes:
    """The threads; each starts when it is first needed.

    :param count: how many; default: one per core that this process may use.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count or usable_cores()
        self._offers: deque[Work] = deque()
        self._idle: deque[threading.Lock] = deque()  # each is released to wake the lane that waits for it
        self._started = 0
        self._ends: dict[int, float] = {}  # by thread: when what it computes should be done
        self._works: set[Work] = set()
        # Those of them that were offered lately, as a container may hold hundreds of models; the event loop's thread
        # alone changes it. A lane copies it as a list: before Python 3.12 a tuple may be cut off by such a change.
        self._lately: dict[Work, _Lately] = {}
        self._turns = 0

    def join(self, work: Work) -> None:
        """Say that ``work`` will be offered."""
        self._works.add(work)

    def leave(self, work: Work) -> None:
        """Say that ``work`` will be offered no more."""
        self._works.remove(work)
        self._lately.pop(work, None)

    @property
    def shared(self) -> bool:
        """Whether there are several works."""
        return len(self._works) > 1

    def among(self, work: Work) -> int:
        """How many works take turns, ``work`` among them."""
        return 1 if len(self._works) == 1 else 1 + sum(one.waits for one in list(self._lately) if one is not work)

    def others(self, work: Work, turns: int, among: int, own: float, now: float) -> float:
        """Seconds of computing that others have before ``work`` has had so many ``turns``; see ``Work.seconds_of``.

        That is what waits for them, and what will come, as far as they go on as they did lately: as many lanes as then
        while ``work`` has the rest, and no more than a batch for each turn.

        :param own: seconds that ``work`` computes in these turns; 0 where a lane is free: no other comes first.
        :param now: as ``time.perf_counter`` says it.
        """
        left, others = float(self.count), []
        for one, had in tuple(self._lately.items()):
            if one is work:
                continue
            lanes, waits = had.lanes_at(now), one.waits
            if lanes < _NOTHING and not waits:
                del self._lately[one]
                continue
            left -= lanes
            others.append((one.seconds_of(turns, among) if waits else 0.0, turns * had.batch, lanes))
        long = own / max(left, self.count * min(_LEAST_LEFT, 1 / among))
        return sum(max(waiting, min(most, long * lanes)) for waiting, most, lanes in others)

    def took(self, work: Work, seconds: float, now: float) -> None:
        """Say that a batch of ``work`` took a lane for so long; only the event loop's thread calls this."""
        if work in self._works:
            self._had(work).add(seconds, now)

    def _had(self, work: Work) -> _Lately:
        if (had := self._lately.get(work)) is None:
            had = self._lately[work] = _Lately()
        return had

    def begin(self, end: float) -> None:
        """Say that this lane computes now, and until when it should, as ``time.perf_counter`` says it."""
        self._ends[threading.get_ident()] = end

    def end(self) -> None:
        """Say that this lane has computed."""
        del self._ends[threading.get_ident()]

    def remaining(self, now: float) -> float:
        """Seconds of computing left in all that has been begun."""
        return remaining(list(self._ends.values()), now)

    @property
    def computing(self) -> int:
        """How many lanes compute."""
        return len(self._ends)

    def offer(self, work: Work) -> None:
        """Have a lane look at ``work``; only the event loop's thread calls this."""
        self._had(work)
        self._offers.append(work)
        try:
            self._idle.pop().release()
        except IndexError:
            if self._started < self.count:
                self._started += 1
                threading.Thread(target=self._run, name=f"lane-{self._started}", daemon=True).start()

    def _run(self) -> None:
        awake, offers = threading.Lock(), self._offers
        awake.acquire()
        while True:
            try:
                work = offers.popleft()
            except IndexError:
                self._sleep(awake)
                continue
            try:
                first = self._longest_unserved(work)
                if first.work() or (first is not work and work.work()):
                    offers.append(work)  # there may be more
            except Exception:  # noqa: BLE001 - of all requests: nobody would take the thread's place
                _log.exception("a lane met what no request can cause")

    def _longest_unserved(self, offered: Work) -> Work:
        """Of those that wait, the one whose last turn is longest ago, however many requests each has."""
        if len(self._works) <= 1:
            return offered
        first = min((one for one in list(self._lately) if one.waits), key=lambda one: one.turn, default=offered)
        self._turns += 1
        first.turn = self._turns
        return first

    def _sleep(self, awake: threading.Lock) -> None:
        self._idle.append(awake)
        if self._offers:
            try:
                self._idle.remove(awake)
            except ValueError:
                pass  # an offer has taken it off already, and releases it
            else:
                return
        awake.acquire()
