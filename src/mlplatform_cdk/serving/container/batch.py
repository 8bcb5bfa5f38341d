"""A batch: bodies to tensors, one run over all of them where that gives the same answers, tensors to bodies.

One request cannot fail its neighbours: whatever breaks a batch is tried again, one request at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.serving.container import streaming, tracing
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.hooks import Context
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request, known, problem
from mlplatform_cdk.serving.container.tensors import exact

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.model import Model

_HELD = nullcontext()
Tensors = dict[str, NDArray[Any]]


class Job:
    """A request on its way to the model.

    :param request: what is asked.
    :param reply: takes the answer.
    :param kind: the format of the answer.
    :param rows: how many it seems to have, before it is read; default: 1.
    :param due: when its answer is late; default: never.
    :param latest: when the model must begin with it at the latest; default: never.
    """

    __slots__ = ("answer", "context", "due", "inputs", "kind", "latest", "outputs", "reply", "request", "rows")

    def __init__(
        self, request: Request, reply: Reply, kind: str, rows: int = 1, due: float = inf, latest: float = inf
    ) -> None:
        self.request, self.reply, self.kind = request, reply, kind
        self.rows, self.due, self.latest = rows, due, latest
        self.inputs: Tensors = {}
        self.outputs: Tensors = {}
        self.context: Context | None = None  # where the model has hooks
        self.answer: Answer | None = None


@dataclass(slots=True)
class Timing:
    """How long a batch took, stage by stage, in seconds, from ``begun``, and how many ``rows`` the model was given."""

    begun: float
    decode: float
    infer: float
    encode: float
    rows: int

    @property
    def all(self) -> float:
        """All stages together."""
        return self.decode + self.infer + self.encode


def compute(model: "Model", jobs: Sequence[Job], *, most_rows: int, alone: bool = False, held: bool = False) -> Timing:
    """Give each of ``jobs`` its answer.

    :param model: what computes.
    :param jobs: at least one.
    :param most_rows: rows in one run at most, but for a request that has more by itself.
    :param alone: whether nobody waits, so that all cores may work on this.
    :param held: whether the caller holds ``exact()``.
    """
    if len(jobs) == 1:
        return _compute_one(model, jobs[0], alone=alone, held=held)
    begun = perf_counter()
    try:
        return _compute_many(model, jobs, most_rows, begun, held=held)
    except Exception as error:  # noqa: BLE001 - such as a lack of memory: nobody may be left without an answer
        for job in jobs:
            if job.answer is None:
                _refuse(model, job, error)
        return Timing(begun, 0.0, 0.0, perf_counter() - begun, 0)


def _compute_many(model: "Model", jobs: Sequence[Job], most_rows: int, begun: float, *, held: bool) -> Timing:
    with _HELD if held else exact():
        _each(_decode, model, jobs)
    if model.hooks is not None:
        _each(_prepare, model, jobs)
    decoded = perf_counter()
    left = [job for job in jobs if job.answer is None]
    sizes = [rows_of(job) for job in left]
    if model.batchable and len(left) > 1:
        for group in _groups(left, sizes, most_rows):
            _run_group(model, group)
    else:
        _each(_run_one, model, left)
    computed = perf_counter()
    _each(_encode, model, left)
    return Timing(begun, decoded - begun, computed - decoded, perf_counter() - computed, sum(sizes))


def _compute_one(model: "Model", job: Job, *, alone: bool, held: bool) -> Timing:
    """``compute`` for a request that is by itself: what a batch needs would cost as much again as the model."""
    begun = decoded = computed = perf_counter()
    try:
        with _HELD if held else exact():
            _decode(model, job)
        if model.hooks is not None:
            _prepare(model, job)
        decoded = computed = perf_counter()
        # On all cores, several rows may be added up in another order than in a batch: one row is proved to be the same.
        run = model.engine.run_alone if alone and rows_of(job) == 1 else model.engine.run
        job.outputs = dict(zip(model.output_names, run(job.inputs), strict=True))
        computed = perf_counter()
        _encode(model, job)
    except Exception as error:  # noqa: BLE001 - one request must not end the server; the log has the reason
        _refuse(model, job, error)
    return Timing(begun, decoded - begun, computed - decoded, perf_counter() - computed, rows_of(job))


def _each(step: "Callable[[Model, Job], None]", model: "Model", jobs: Iterable[Job]) -> None:
    """Take ``step`` with each of ``jobs`` that has no answer yet."""
    for job in jobs:
        if job.answer is None:
            try:
                step(model, job)
            except Exception as error:  # noqa: BLE001 - one request must not end the server; the log has the reason
                _refuse(model, job, error)


def _refuse(model: "Model", job: Job, error: Exception) -> None:
    if isinstance(error, RequestError):
        job.answer = problem(error)
    else:
        manifest = model.manifest
        told = {"model": manifest.model_name, "run_id": manifest.run_id}
        job.answer = problem(known(error, told | tracing.log_fields(job.request.headers)))


def _decode(model: "Model", job: Job) -> None:
    request = job.request
    headers = request.headers
    job.inputs = model.codec.decode_held(request.body, headers.get("content-type", ""), headers)


def _prepare(model: "Model", job: Job) -> None:
    """Let the model's hooks see the inputs."""
    assert model.hooks is not None
    headers = job.request.headers
    trace = tracing.trace_of(headers)
    job.context = Context(
        attributes=headers.get(tracing.ATTRIBUTES, ""),
        inference_id=headers.get(tracing.INFERENCE_ID, ""),
        trace_id=trace.trace_id if trace else "",
    )
    job.inputs = model.hooks.before(job.inputs, job.context)


def _encode(model: "Model", job: Job) -> None:
    hooks, context = model.hooks, job.context
    if hooks is None or context is None:
        job.answer = Answer(200, model.codec.encode(job.outputs, job.kind), job.kind)
        return
    outputs = hooks.after(job.outputs, context)
    if hooks.streams:
        job.answer = Answer(200, b"", hooks.stream_type, stream=streaming.Pieces(hooks.parts(outputs, context)))
    else:
        job.answer = Answer(200, model.codec.encode(outputs, job.kind), job.kind)


def _run_one(model: "Model", job: Job) -> None:
    job.outputs = dict(zip(model.output_names, model.engine.run(job.inputs), strict=True))


def _run_group(model: "Model", jobs: Sequence[Job]) -> None:
    if len(jobs) > 1:
        with suppress(Exception):  # whose fault it is shows when each runs by itself
            _run_together(model, jobs)
            return
    _each(_run_one, model, jobs)


def _run_together(model: "Model", jobs: Sequence[Job]) -> None:
    together: Tensors = {}
    for one in model.manifest.inputs:
        arrays = [job.inputs[one.name] for job in jobs]
        # Arrays of other shapes or types do not go together: an error, and then each runs by itself.
        together[one.name] = np.concatenate(arrays, dtype=arrays[0].dtype, casting="no")
    found = model.engine.run(together)
    sizes = [rows_of(job) for job in jobs]
    total = sum(sizes)
    for array in found:
        if len(array) != total:
            raise ValueError(f"an output must have a row for each of {total} rows, got {len(array)}")
    names, start = model.output_names, 0
    for job, size in zip(jobs, sizes, strict=True):
        end = start + size
        job.outputs = {name: array[start:end] for name, array in zip(names, found, strict=True)}
        start = end


def _groups(jobs: Sequence[Job], sizes: Sequence[int], most_rows: int) -> list[Sequence[Job]]:
    """``jobs`` in their order, at most ``most_rows`` rows together."""
    if sum(sizes) <= most_rows:
        return [jobs]
    groups: list[Sequence[Job]] = []
    group: list[Job] = []
    rows = 0
    for job, size in zip(jobs, sizes, strict=True):
        if group and rows + size > most_rows:
            groups.append(group)
            group, rows = [], 0
        group.append(job)
        rows += size
    return [*groups, group]


def rows_of(job: Job) -> int:
    """The rows of a request that has been read; 0 before."""
    for array in job.inputs.values():
        return len(array) if array.ndim else 1
    return 0
