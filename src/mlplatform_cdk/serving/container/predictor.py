"""The way of a request to one model: admitted or refused at once, gathered into a batch, computed, answered.

A batch is what waits when a lane is free. A model that takes less than a thread's hand-over runs on the event loop
itself, on what one turn of the loop has gathered.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from mlplatform_cdk.serving.container import batch, tracing
from mlplatform_cdk.serving.container.batch import Job, Timing
from mlplatform_cdk.serving.container.deadlines import BUDGET_SHARE, allowed_seconds
from mlplatform_cdk.serving.container.errors import DeadlineExceeded, RequestError, TooManyRequests
from mlplatform_cdk.serving.container.lanes import Lanes
from mlplatform_cdk.serving.container.load import Load
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request, problem
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.settings import Settings

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.model import Model

INLINE_SECONDS = 0.0005  # a model that takes longer gets threads: the hand-over costs a tenth of that
INLINE_BYTES = 65536  # a larger body is decoded in a lane, so that the event loop stays free
INLINE_UNBATCHED = 8  # requests of one turn of the loop where each is computed by itself
_MOST_KINDS = 64
_HANDED_BACK = frozenset(tracing.HANDED_BACK)
_LOOK_SECONDS = 0.0005  # how often a lane that waits for more rows looks


class Predictor:
    """Answers a model's requests; all but ``work`` belongs to the event loop's thread.

    :param model: what computes.
    :param settings: of the container; the manifest's tuning where they say nothing.
    :param lanes: the threads.
    :param metrics: counts what happens.
    """

    def __init__(self, model: "Model", settings: Settings, lanes: Lanes, metrics: Metrics) -> None:
        tuned = model.manifest.serving
        self.model, self._lanes, self._metrics = model, lanes, metrics
        self._loop = asyncio.get_running_loop()
        self._most_rows = model.max_batch_size
        delay = settings.max_batch_delay_ms
        self._delay = ((tuned and tuned.max_batch_delay_ms) or 0.0 if delay is None else delay) / 1000
        own = settings.deadline_ms
        self._allowed = (model.manifest.latency_budget_ms * BUDGET_SHARE if own is None else own) / 1000
        self._limit = settings.queue_limit
        # A hook may take any time, and run_seconds does not count it.
        self.inline = model.run_seconds < INLINE_SECONDS and not self._delay and model.hooks is None
        self._most = self._most_rows if model.batchable else INLINE_UNBATCHED if self.inline else 1
        # A model on the event loop has two: what large bodies take in the lanes says nothing about the others.
        self.load = Load(model.run_seconds, 1 if self.inline else lanes.count)
        self._lane_load = Load(model.run_seconds, lanes.count) if self.inline else self.load
        self._waiting: deque[Job] = deque()  # for the lanes
        self._gathered: deque[Job] = deque()  # for the event loop
        self._kinds: dict[str, str] = {}
        self._turning = False
        self.under_way = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for the model."""
        return len(self._waiting) + len(self._gathered)

    def ask(self, request: Request, reply: Reply) -> None:
        """Admit ``request``, or refuse it at once.

        :param request: what is asked.
        :param reply: takes the answer.
        :raises RequestError: when it is refused.
        """
        headers = request.headers
        accept = headers.get("accept", "")
        kind = self._kinds.get(accept) or self._accept(accept)
        allowed = allowed_seconds(headers, self._allowed)
        inline = self.inline and len(request.body) <= INLINE_BYTES
        queue, load = (self._gathered, self.load) if inline else (self._waiting, self._lane_load)
        patience, waiting = load.patience(allowed), len(queue)
        if waiting and (waiting >= self._limit or load.wait(waiting) > patience):
            raise _refusal(waiting, load.wait(waiting), patience)
        job = Job(request, reply, kind, request.arrived + patience)
        self.under_way += 1
        queue.append(job)
        if not inline:
            self._lanes.offer(self)
        elif not self._turning:
            self._turning = True
            self._loop.call_soon(self._turn)

    def work(self, idle: int) -> bool:
        """See ``lanes.Work``; called by a lane."""
        if self._delay:
            self._await_more()
        jobs = self._take(self._waiting, math.ceil(len(self._waiting) / (idle + 1)))
        if not jobs:
            return False
        alone = len(jobs) == 1 and not self._waiting and idle == self._lanes.count - 1
        ready = _in_time(jobs)
        timing = batch.compute(self.model, ready, most_rows=self._most_rows, alone=alone) if ready else None
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be answered
            self._loop.call_soon_threadsafe(self._finish, jobs, len(ready), timing, self._lane_load)
        return True

    def _turn(self) -> None:
        """Compute on the event loop what has come since its last turn."""
        jobs = self._take(self._gathered, self._most)
        ready = _in_time(jobs)
        timing = batch.compute(self.model, ready, most_rows=self._most_rows) if ready else None
        self._turning = bool(self._gathered)
        if self._turning:
            self._loop.call_soon(self._turn)
        self._finish(jobs, len(ready), timing, self.load)

    def _take(self, queue: deque[Job], most: int) -> list[Job]:
        jobs: list[Job] = []
        try:
            while len(jobs) < min(most, self._most):
                jobs.append(queue.popleft())
        except IndexError:
            pass  # another lane was faster
        return jobs

    def _await_more(self) -> None:
        """Wait for a full batch, as long as the oldest request may."""
        try:
            until = self._waiting[0].request.arrived + self._delay
        except IndexError:
            return
        while len(self._waiting) < self._most and (left := until - perf_counter()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))

    def _finish(self, jobs: Sequence[Job], computed: int, timing: Timing | None, load: Load) -> None:
        self.under_way -= len(jobs)
        metrics = self._metrics
        if timing is not None:
            load.learn(timing.all, computed)
            metrics.batch.add(computed)
            metrics.decode.add(timing.decode / computed, computed)
            metrics.infer.add(timing.infer, computed)
            metrics.encode.add(timing.encode / computed, computed)
        begun = perf_counter() if timing is None else timing.begun
        for job in jobs:
            assert job.answer is not None
            metrics.queue.add(begun - job.request.arrived)
            metrics.count(job.answer.status)
            _hand_back(job, job.answer)
            job.reply(job.answer)

    def _accept(self, accept: str) -> str:
        kind = self.model.codec.accept(accept)
        if len(self._kinds) < _MOST_KINDS:  # of the many that a client could make up, the first ones are kept
            self._kinds[accept] = kind
        return kind


def _refusal(waiting: int, wait: float, patience: float) -> RequestError:
    return TooManyRequests(
        f"the queue must let the request begin within {1000 * patience:.0f} ms, got one of {waiting} requests "
        f"and about {1000 * wait:.0f} ms; try again later",
        max(1, math.ceil(wait)),
    )


def _hand_back(job: Job, answer: Answer) -> None:
    """Let the answer repeat what it hands back of its request, such as the trace."""
    headers, context = job.request.headers, job.context
    if context is None and _HANDED_BACK.isdisjoint(headers):
        return
    told = dict(tracing.handed_back(headers))
    if context is not None and context.attributes:
        told[tracing.HANDED_BACK[tracing.ATTRIBUTES]] = context.attributes
    answer.headers += tuple(told.items())


def _in_time(jobs: Sequence[Job]) -> list[Job]:
    """Those of ``jobs`` that are not too late; the others get their answer."""
    now = perf_counter()
    ready = [job for job in jobs if now <= job.latest]
    if len(ready) < len(jobs):
        for job in jobs:
            if now > job.latest:
                waited, patience = now - job.request.arrived, job.latest - job.request.arrived
                job.answer = problem(
                    DeadlineExceeded(
                        f"the model must begin with the request within {1000 * patience:.0f} ms of its arrival, got to "
                        f"it after {1000 * waited:.0f} ms"
                    )
                )
    return ready
