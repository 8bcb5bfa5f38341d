"""How long a model takes for one request and for batches, measured when it is loaded, codec and hooks included."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import orjson

from mlplatform_cdk.serving.container import batch
from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.messages import JSON, Answer, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from mlplatform_cdk.serving.container.model import Model

_RUNS = 3
_ENOUGH_SECONDS = 0.3  # for a batch, where single requests are slow
_MOST_TRIED, _MOST_LANES = 16, 4
_HEAVY_SECONDS = 0.002
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
    :param useful_rows: beyond which rows of a batch take longer than those of a smaller one; default: none was seen.
    :param bytes_per_row: of the request, in JSON; default: every request counts as one row.
    """

    seconds: float
    rows: int = 1
    full_seconds: float = 0.0
    full_rows: int = 0
    bytes_per_row: float = float("inf")
    useful_rows: int | None = None


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


def measure(model: "Model", lanes: int = 1) -> Pace:
    """The pace of ``model``, which is warmed up and proved.

    :param model: what computes.
    :param lanes: how many batches are computed at once; default: 1.
    """
    golden = model.manifest.golden_requests[0]
    body = orjson.dumps(golden.body())
    seconds, rows = _fastest(model, body, 1)
    if not rows:  # a model that reads no JSON
        return Pace(seconds=model.run_seconds)
    found = Pace(seconds=seconds, rows=rows, bytes_per_row=len(body) / rows)
    if model.run_seconds > _HEAVY_SECONDS:
        inputs = model.golden_inputs(golden)
        useful = rows * _useful(model, inputs, model.max_batch_size // rows, lanes)
        found = replace(found, useful_rows=useful)
    most = min(model.max_batch_size, found.useful_rows or model.max_batch_size)
    count = min(most // rows, int(_ENOUGH_SECONDS / seconds))
    if count < 2:  # noqa: PLR2004 - two make a batch
        return found
    full_seconds, full_rows = _fastest(model, body, count)
    return replace(found, full_seconds=full_seconds, full_rows=full_rows)


def _useful(model: "Model", inputs: "Mapping[str, NDArray[Any]]", most: int, lanes: int) -> int:
    """How many requests the best batch has, the smallest of those alike: a larger one may leave a core's cache.

    Several lanes compute, as they do under load: they share the outer cache and the way to the memory.

    :param inputs: of one request.
    :param most: requests that a batch may have; the answer where the largest that is tried is the best.
    """
    if most < 2:  # noqa: PLR2004 - two make a batch
        return most
    lanes = min(lanes, _MOST_LANES)
    sizes = [1]
    while sizes[-1] < min(most, _MOST_TRIED):
        sizes.append(min(2 * sizes[-1], most))
    seen: dict[int, float] = {}  # seconds for a row
    began = perf_counter()
    with ThreadPoolExecutor(lanes) as pool:
        for _ in range(_RUNS):  # each in turn, so that what else the machine does falls on all alike
            for size in sizes:
                several = {name: np.concatenate(size * [array]) for name, array in inputs.items()}
                started = perf_counter()
                try:
                    deque(pool.map(model.engine.run, lanes * [several]), maxlen=0)
                except Exception:  # noqa: BLE001 - such as too little memory for so many: no batch will be so large
                    return max(seen, default=1)
                seconds = perf_counter() - started
                seen[size] = min(seen.get(size, seconds), seconds / size)
                if seconds > _ENOUGH_SECONDS and size > 1:
                    break
            if perf_counter() - began > _RUNS * _ENOUGH_SECONDS:
                break
    best = min(seen, key=lambda size: seen[size])
    return most if best == max(seen) else best


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
