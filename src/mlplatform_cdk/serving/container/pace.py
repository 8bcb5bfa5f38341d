"""How long a model takes for one request and for a full batch, measured when it is loaded, codec and hooks included."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import orjson

from mlplatform_cdk.serving.container import batch
from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.messages import JSON, Answer, Request

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.model import Model

_RUNS = 3
_ENOUGH_SECONDS = 0.3  # for the full batch, where single requests are slow: a smaller one shows as much
_IMAGE = "image/"
_MOST_KINDS = 64
_WEIGHT = 1 / 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was measured.

    :param seconds: of one request.
    :param rows: that it had; default: 1.
    :param full_seconds: of a full batch; default: none was measured.
    :param full_rows: that this had.
    :param bytes_per_row: of the request, in JSON; default: every request counts as one row.
    """

    seconds: float
    rows: int = 1
    full_seconds: float = 0.0
    full_rows: int = 0
    bytes_per_row: float = float("inf")


class RowCount:
    """Guesses how many rows a body has before it is read: by its size, and the sizes of those before it.

    :param bytes_per_row: to begin with.
    """

    def __init__(self, bytes_per_row: float) -> None:
        self._first = bytes_per_row
        self._known: dict[str, float] = {}

    def of(self, content_type: str, size: int) -> int:
        """Rows of a body of ``size`` bytes; a picture is one."""
        each = self._known.get(content_type, self._first)
        return 1 if size <= each or content_type.startswith(_IMAGE) else round(size / each)

    def learn(self, content_type: str, size: int, rows: int) -> None:
        """Take into account that a body of ``size`` bytes had ``rows``."""
        before = self._known.get(content_type)
        if before is not None:
            self._known[content_type] = before + _WEIGHT * (size / rows - before)
        elif len(self._known) < _MOST_KINDS:  # of the many that a client could make up, the first ones are kept
            self._known[content_type] = size / rows


def measure(model: "Model") -> Pace:
    """The pace of ``model``, which is warmed up and proved."""
    body = orjson.dumps(model.manifest.golden_requests[0].body())
    seconds, rows = _fastest(model, body, 1)
    if not rows:  # a model that reads no JSON
        return Pace(seconds=model.run_seconds)
    each = len(body) / rows
    count = min(model.max_batch_size // rows, int(_ENOUGH_SECONDS / seconds))
    if count < 2:  # noqa: PLR2004 - two make a batch
        return Pace(seconds=seconds, rows=rows, bytes_per_row=each)
    full_seconds, full_rows = _fastest(model, body, count)
    return Pace(seconds=seconds, rows=rows, full_seconds=full_seconds, full_rows=full_rows, bytes_per_row=each)


def _fastest(model: "Model", body: bytes, count: int) -> tuple[float, int]:
    """Seconds and rows of a batch of ``count`` requests; no rows where they cannot be read."""
    best, rows, began = float("inf"), 0, perf_counter()
    for _ in range(_RUNS):
        jobs = _jobs(body, count)
        timing = batch.compute(model, jobs, most_rows=model.max_batch_size)
        best, rows = min(best, timing.all), timing.rows
        if perf_counter() - began > _ENOUGH_SECONDS:
            break
    return best, rows


def _jobs(body: bytes, count: int) -> Sequence[Job]:
    request = Request("POST", "/invocations", {"content-type": JSON}, body, 0.0)
    return [Job(request, _ignore, JSON) for _ in range(count)]


def _ignore(_: Answer) -> None:
    """Nobody asked."""
