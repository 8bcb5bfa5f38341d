"""Requests that wait for a model, in the order of their arrival, counted by rows."""

from collections import deque
from threading import Lock

from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.load import Load


class Queue:
    """The event loop's thread puts requests in, and whoever computes takes them out.

    :param load: what batches take.
    :param most: requests of a batch.
    :param limit: the most requests that wait.
    :param sharers: how many lanes share what waits.
    """

    def __init__(self, load: Load, most: int, limit: int, *, sharers: int) -> None:
        self.load, self._most, self._limit, self._sharers = load, most, limit, sharers
        self.jobs: deque[Job] = deque()
        self._put = self._taken = 0  # rows since the start: each has one writer at a time
        self._taking = Lock()

    def __len__(self) -> int:
        return len(self.jobs)

    @property
    def rows(self) -> int:
        """Rows that wait, as far as they are known before they are read."""
        return self._put - self._taken

    def late_by(self, rows: int, allowed: float, *, remaining: float = 0.0, free: bool = True) -> float:
        """By how many seconds a request of ``rows`` that came now would be too late; 0 and less: it may wait here.

        :param allowed: seconds until its answer is late.
        :param remaining: seconds of computing left in what has been begun, all lanes together; default: none.
        :param free: whether somebody has nothing to do; default: yes.
        """
        load, ahead = self.load, self._put - self._taken
        if (free and not self.jobs) or (not remaining and ahead + rows <= load.biggest):
            return 0.0  # computed at once, or with the next batch, which is next
        excess = load.excess(rows, ahead, remaining, allowed)
        wait = load.wait(rows, ahead, remaining)
        if excess <= 0 and len(self.jobs) >= self._limit:
            return wait
        return min(excess, wait)

    def turns(self, rows: int, among: int) -> int:
        """How many batches it takes until one with a request of ``rows`` that came now is computed.

        :param among: how many queues take turns, a batch each.
        """
        return -(-(self.rows + rows) // self.load.biggest_among(among))

    def seconds_through(self, rows: int, turns: int) -> float:
        """What these ``turns`` take, up to and with the batch of a request of ``rows`` that came now."""
        return turns * self.load.seconds((self.rows + rows) / turns)

    def seconds_of(self, turns: int, among: int) -> float:
        """What the next ``turns`` batches take, as far as requests wait for them; ``among`` as in ``turns``."""
        rows, most = self.rows, self.load.biggest_among(among)
        batches = min(turns, -(-rows // most))
        return batches * self.load.seconds(min(rows / batches, most)) if batches > 0 else 0.0

    def put(self, job: Job) -> None:
        """Let ``job`` wait."""
        self._put += job.rows
        self.jobs.append(job)

    def take(self, now: float, among: int = 1, free: int = 1) -> tuple[list[Job], list[Job], int]:
        """What is to be computed at once, those among it that are too late for that, and the rows of the former.

        A lane takes its share of what waits, also of those that compute now: the next one that is free finds the rest,
        before a batch of everything would have been done. It has no more rows than can be answered within the time that
        its most urgent request has left.

        :param now: as ``time.perf_counter`` says it.
        :param among: how many queues take turns, a batch each, and divide the lanes; default: it is the only one.
        :param free: how many lanes have nothing to do, the one that asks among them; default: it alone.
        """
        ready: list[Job] = []
        late: list[Job] = []
        load, jobs, rows, room, most = self.load, self.jobs, 0, 0, self._most
        with self._taking:
            sharers, free = max(1, self._sharers // among), max(1, free // among)
            share = load.share(self.rows, sharers=sharers, free=free, queues=among)
            due = float("inf")
            while jobs and len(ready) < most:
                job = jobs[0]
                if now > job.latest:
                    late.append(jobs.popleft())
                    self._taken += job.rows
                    continue
                if job.due < due:
                    due = job.due
                    room = min(share, load.rows_within(due - now))
                if ready and rows + job.rows > room:
                    break
                jobs.popleft()
                ready.append(job)
                rows += job.rows
            self._taken += rows
        return ready, late, rows
