"""A file of a model, asked on the CPU: its answers to rows, and how long they take beside another file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from mlplatform_cdk.runtimekit.manifest import Manifest, Precision
from mlplatform_cdk.serving.container.engines import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.onnx_cpu import OnnxCpuEngine
from mlplatform_cdk.serving.quantize.data import Inputs, Rows
from mlplatform_cdk.serving.quantize.errors import QuantizeError

_ROUNDS, _MOST_ROUNDS = 7, 200
_SECONDS = 2.0


def open_file(path: Path, precision: Precision, manifest: Manifest) -> OnnxCpuEngine:
    """The file at ``path`` on one core, as one lane of the container computes it."""
    outputs = [one.name for one in manifest.outputs]
    return OnnxCpuEngine(path, precision, outputs, EngineChoice(threads=1, lone_threads=1))


def ask(engine: OnnxCpuEngine, inputs: Inputs) -> list[Array]:
    """The outputs for ``inputs``.

    :raises QuantizeError: when the file cannot compute them.
    """
    try:
        return engine.run(inputs)
    except Exception as error:  # the runtime's errors are of many types
        reason = " ".join(str(error).split())[:300]
        raise QuantizeError(f"the file in {engine.precision} must answer rows of the model, got {reason}") from error


def answers(engine: OnnxCpuEngine, rows: Rows, manifest: Manifest) -> dict[str, Array]:
    """The outputs by name for all rows, each asked alone.

    :raises QuantizeError: when a row is not answered, or the answers' sizes differ.
    """
    parts = each_alone(rows.each(), engine)
    return {one.name: joined([part[place] for part in parts]) for place, one in enumerate(manifest.outputs)}


def joined(arrays: Sequence[Array]) -> Array:
    """The answers to requests as one array.

    :raises QuantizeError: when their sizes differ in more than rows.
    """
    shapes = {np.atleast_1d(one).shape[1:] for one in arrays}
    if len(shapes) > 1:
        told = " and ".join(str(list(one)) for one in sorted(shapes)[:2])
        raise QuantizeError(f"answers must be of one size to be compared row by row, got {told}")
    return np.concatenate([np.atleast_1d(one) for one in arrays])


def milliseconds(engines: Mapping[str, OnnxCpuEngine], inputs: Inputs) -> dict[str, float]:
    """The median time of each engine for ``inputs``, asked in turns, so that a busy moment is nobody's own."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    started = perf_counter()
    for one in engines.values():
        ask(one, inputs)
    for turn in range(_MOST_ROUNDS):
        if turn >= _ROUNDS and perf_counter() - started > _SECONDS:
            break
        for name, one in engines.items():
            before = perf_counter()
            one.run(inputs)
            times[name].append(perf_counter() - before)
    return {name: sorted(all_)[len(all_) // 2] * 1000 for name, all_ in times.items()}


def first_rows(rows: Rows, count: int) -> Inputs:
    """A request of ``count`` rows, taken from the start again where there are fewer."""
    places = np.arange(count) % len(rows)
    return {name: np.ascontiguousarray(array[places]) for name, array in rows.inputs.items()}


def each_alone(rows: Sequence[Inputs], engine: OnnxCpuEngine) -> list[list[Array]]:
    """The answers to requests, one by one."""
    return [ask(engine, row) for row in rows]
