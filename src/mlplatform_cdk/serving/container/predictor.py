"""The way of a request to one model: admitted or refused at once, gathered into a batch, computed, answered.

A batch is a free lane's share of what waits. A model that takes less than a thread's hand-over runs on the event loop
itself, on what one turn of the loop has gathered.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING

from mlplatform_cdk.serving.container import batch, streaming, tracing
from mlplatform_cdk.serving.container.batch import Job, Timing
from mlplatform_cdk.serving.container.deadlines import BUDGET_SHARE, allowed_seconds
from mlplatform_cdk.serving.container.engines.choice import GPU_ENGINES
from mlplatform_cdk.serving.container.errors import DeadlineExceeded, TooManyRequests
from mlplatform_cdk.serving.container.lanes import Lanes
from mlplatform_cdk.serving.container.load import Load
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request, known, problem
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.pace import RowCount
from mlplatform_cdk.serving.container.queue import Queue
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.tensors import exact

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.fast_path import FastPath
    from mlplatform_cdk.serving.container.limits import Limits
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

    ``allowed`` is the deadline of requests that say none, in seconds from their arrival.
    """

    def __init__(self, model: "Model", settings: Settings, lanes: Lanes, metrics: Metrics) -> None:
        tuned = model.manifest.serving
        self.model, self._lanes, self._metrics = model, lanes, metrics
        self._loop = asyncio.get_running_loop()
        self._most_rows = min(model.max_batch_size, model.pace.useful_rows or model.max_batch_size)
        delay = settings.max_batch_delay_ms
        self._delay = ((tuned and tuned.max_batch_delay_ms) or 0.0 if delay is None else delay) / 1000
        own = settings.deadline_ms
        self.allowed = (model.manifest.latency_budget_ms * BUDGET_SHARE if own is None else own) / 1000
        self._limit = settings.queue_limit
        # A hook may take any time, and run_seconds does not count it.
        self.inline = model.run_seconds < INLINE_SECONDS and not self._delay and model.hooks is None
        self._waiting = self._queue(lanes.count)  # for the lanes
        # A model on the event loop has two: what large bodies take in the lanes says nothing about the others.
        self._gathered = self._queue(1) if self.inline else self._waiting
        self._row_count = RowCount(model.pace.bytes_per_row)
        self._kinds: dict[str, str] = {}
        self._turning = False
        # What ``exact()`` holds, for turns of the loop: to take it up for each would cost a twelfth of a lone request.
        self._exact = copy_context()
        self._exact.run(exact().__enter__)
        self._cycle = (0.0, 0)  # when the turn before began which left something, and its rows
        self.under_way = self.turn = 0
        lanes.join(self)

    @property
    def waiting(self) -> int:
        """Requests that wait for the model."""
        return len(self._waiting) + (len(self._gathered) if self.inline else 0)

    def fast_path(self, limits: "Limits") -> "FastPath | None":
        """The fast path to this model; ``None`` where its requests are not of the kind that it takes.

        :param limits: what a request may cost.
        """
        from mlplatform_cdk.serving.container.codecs.one_row import OneRow
        from mlplatform_cdk.serving.container.fast_path import FastPath

        if not self.inline or not self.model.batchable:
            return None
        rows = OneRow.of(self.model.manifest, limits, INLINE_BYTES)
        if rows is None:
            return None
        return FastPath(self.model, rows, self._metrics, self._gathered.load, self.allowed)

    def ask(self, request: Request, reply: Reply) -> None:
        """Admit ``request``, or refuse it at once.

        :param request: what is asked.
        :param reply: takes the answer.
        :raises RequestError: when it is refused.
        """
        headers, body = request.headers, request.body
        accept = headers.get("accept", "")
        kind = self._kinds.get(accept) or self._accept(accept)
        allowed = allowed_seconds(headers, self.allowed)
        rows = self._row_count.of(headers.get("content-type", ""), len(body))
        inline = self.inline and len(body) <= INLINE_BYTES
        queue = self._gathered if inline else self._waiting
        if inline:
            late = queue.late_by(rows, allowed) if queue.jobs else 0.0
        else:
            lanes = self._lanes
            free = lanes.computing < lanes.count
            remaining = lanes.remaining(request.arrived)
            if lanes.shared:
                among = lanes.among(self)
                turns = queue.turns(rows, among)
                own = 0.0 if free else queue.seconds_through(rows, turns)
                remaining += lanes.others(self, turns, among, own, request.arrived)
            late = queue.late_by(rows, allowed, remaining=remaining, free=free)
        if late > 0:
            raise _refusal(len(queue), late, allowed)
        latest = request.arrived + queue.load.patience(rows, allowed)
        self.under_way += 1
        queue.put(Job(request, reply, kind, rows, request.arrived + allowed, latest))
        if not inline:
            self._lanes.offer(self)
        elif not self._turning:
            self._turning = True
            self._loop.call_soon(self._turn, context=self._exact)

    def close(self) -> None:
        """Leave the lanes; nothing may wait or follow."""
        self._lanes.leave(self)

    @property
    def waits(self) -> bool:
        """See ``lanes.Work``."""
        return bool(self._waiting.jobs)

    def seconds_of(self, turns: int, among: int) -> float:
        """See ``lanes.Work``."""
        return self._waiting.seconds_of(turns, among)

    def work(self) -> bool:
        """See ``lanes.Work``; called by a lane."""
        came = begun = perf_counter()
        if self._delay:
            self._await_more()
            begun = perf_counter()
        queue, lanes = self._waiting, self._lanes
        jobs, late, rows = queue.take(begun, lanes.among(self), lanes.count - lanes.computing)
        if not jobs and not late:
            return False
        timing = None
        alone = len(jobs) == 1 and not queue.jobs and not lanes.computing
        if jobs:
            lanes.begin(begun + queue.load.seconds(rows))
            try:
                timing = batch.compute(self.model, jobs, most_rows=self._most_rows, alone=alone)
            finally:
                lanes.end()
        ended = perf_counter()
        computed = None if alone else ended - begun
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be answered
            self._loop.call_soon_threadsafe(self._finish_batch, jobs, late, timing, computed, ended - came)
        return True

    def _finish_batch(
        self, jobs: Sequence[Job], late: Sequence[Job], timing: Timing | None, computed: float | None, held: float
    ) -> None:
        """Answer what a lane has computed.

        :param computed: for how many seconds; none of what had all cores to itself, which says nothing about lanes.
        :param held: how many seconds the lane was taken.
        """
        if jobs:
            self._lanes.took(self, held, perf_counter())
        if timing is not None and timing.rows and computed is not None:
            self._waiting.load.learn(computed, timing.rows)
        self._finish(jobs, late, timing)

    def _turn(self) -> None:
        """Compute on the event loop what has come since its last turn."""
        begun, queue = perf_counter(), self._gathered
        before, rows = self._cycle
        if rows:  # what the turn before has left waited for all that the loop does, not only for the model
            queue.load.learn(begun - before, rows)
        jobs, late, _ = queue.take(begun)
        timing = batch.compute(self.model, jobs, most_rows=self._most_rows, held=True) if jobs else None
        self._turning = bool(queue.jobs)
        if self._turning:
            self._loop.call_soon(self._turn, context=self._exact)
        self._finish(jobs, late, timing)
        computed = 0 if timing is None else timing.rows
        self._cycle = (begun, computed) if self._turning else (0.0, 0)
        if computed and not self._turning:
            queue.load.learn(perf_counter() - begun, computed)

    def _queue(self, lanes: int) -> Queue:
        model = self.model
        most = self._most_rows if model.batchable else INLINE_UNBATCHED if self.inline else 1
        load = Load(model.pace, lanes=lanes, most_rows=self._most_rows if model.batchable else 1, deadline=self.allowed)
        # What was gathered for a batch stays together; a device computes one batch after another, whoever asks it.
        whole = self._delay or model.engine.name in GPU_ENGINES
        return Queue(load, most, self._limit, sharers=1 if whole else lanes)

    def _await_more(self) -> None:
        """Wait for a full batch, as long as the oldest request may."""
        try:
            oldest = self._waiting.jobs[0]
        except IndexError:
            return
        until = min(oldest.request.arrived + self._delay, oldest.latest - 2 * _LOOK_SECONDS)
        while self._waiting.rows < self._most_rows and (left := until - perf_counter()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))

    def _finish(self, jobs: Sequence[Job], late: Sequence[Job], timing: Timing | None) -> None:
        self.under_way -= len(jobs) + len(late)
        metrics = self._metrics
        if timing is not None:
            metrics.computed(len(jobs), timing.decode, timing.infer, timing.encode)
            if timing.rows:
                self._learn_rows(jobs[0])
        for job in late:
            job.answer = _too_late(job)
        begun = perf_counter() if timing is None else timing.begun
        for job in (*jobs, *late):
            assert job.answer is not None
            metrics.queue.add(begun - job.request.arrived)
            try:
                if job.context is not None or not _HANDED_BACK.isdisjoint(job.request.headers):
                    _hand_back(job, job.answer)
                if job.answer.stream is not None:
                    streaming.answer_once_begun(job.answer, self._counted(job.reply))
                    continue
                metrics.count(job.answer.status)
                job.reply(job.answer)
            except Exception as error:  # noqa: BLE001 - what a hook left cannot be said: the others must be answered
                job.reply(problem(known(error)))

    def _counted(self, reply: Reply) -> Reply:
        def give(answer: Answer) -> None:
            self._metrics.count(answer.status)
            reply(answer)

        return give

    def _learn_rows(self, job: Job) -> None:
        rows = batch.rows_of(job)
        if rows:
            self._row_count.learn(job.request.headers.get("content-type", ""), len(job.request.body), rows)

    def _accept(self, accept: str) -> str:
        kind = self.model.codec.accept(accept)
        if len(self._kinds) < _MOST_KINDS:  # of the many that a client could make up, the first ones are kept
            self._kinds[accept] = kind
        return kind


def _refusal(waiting: int, late: float, allowed: float) -> TooManyRequests:
    return TooManyRequests(
        f"the answer must be possible within {1000 * allowed:.0f} ms, got {waiting} requests that wait already; "
        f"try again in {1000 * late:.0f} ms",
        math.ceil(late),
    )


def _hand_back(job: Job, answer: Answer) -> None:
    """Let the answer repeat what it hands back of its request, such as the trace."""
    headers, context = job.request.headers, job.context
    told = dict(tracing.handed_back(headers))
    if context is not None:
        name = tracing.HANDED_BACK[tracing.ATTRIBUTES]
        told.pop(name, None)
        if context.attributes:
            told[name] = context.attributes
    answer.headers += tuple(told.items())


def _too_late(job: Job) -> Answer:
    arrived, now = job.request.arrived, perf_counter()
    return problem(
        DeadlineExceeded(
            f"the model must begin with the request within {1000 * (job.latest - arrived):.0f} ms of its arrival, got "
            f"to it after {1000 * (now - arrived):.0f} ms"
        )
    )
