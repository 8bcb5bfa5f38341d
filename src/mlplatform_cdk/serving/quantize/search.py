"""Which layers must stay in higher precision: the ones whose own error is greatest, as many as it takes."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from time import perf_counter

from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.quantize import run
from mlplatform_cdk.serving.quantize.accuracy import error
from mlplatform_cdk.serving.quantize.data import Inputs
from mlplatform_cdk.serving.quantize.files import DynamicInt8, StaticInt8

_ROWS = 8
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A layer that stays in fp32.

    :param layer: the node's name in the graph.
    :param operator: what it computes.
    :param error: of the answers when it alone is in int8: the root mean square difference as a share of their standard
        deviation; None: there was no time to measure it.
    """

    layer: str
    operator: str
    error: float | None


def rank(
    maker: StaticInt8 | DynamicInt8, source: Path, rows: Sequence[Inputs], manifest: Manifest, *, until: float
) -> list[Kept]:
    """Every layer with the error that it alone makes, no number or the greatest first; then what no time was left for.

    :param maker: makes files with one layer in int8.
    :param source: the fp32 file.
    :param rows: requests to measure on; a few of them are.
    :param manifest: names the outputs.
    :param until: when to stop, by ``time.perf_counter``.
    """
    asked = rows[:_ROWS]
    expected = _flat(run.each_alone(asked, run.open_file(source, "fp32", manifest)))
    measured: list[Kept] = []
    rest: list[Kept] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.onnx")
        for layer, operator in maker.layers().items():
            if perf_counter() > until:
                rest.append(Kept(layer=layer, operator=operator, error=None))
                continue
            maker.write(path, only=[layer])
            came = _flat(run.each_alone(asked, run.open_file(path, "int8", manifest)))
            measured.append(Kept(layer=layer, operator=operator, error=error(expected, came)))
    return sorted(measured, key=lambda one: -inf if isnan(one.error or 0.0) else -(one.error or 0.0)) + rest


def fewest(ranked: Sequence[Kept], fits: Callable[[Sequence[Kept]], bool], *, until: float) -> list[Kept] | None:
    """The fewest of the first layers whose staying in fp32 ``fits``; None: not even all of them but one.

    Doubles until it fits, then halves the gap, so that a model of 100 layers is tried about 12 times.

    :param ranked: the layers, the worst first.
    :param fits: whether a model is within the tolerance with these layers kept.
    :param until: when to stop looking for fewer, by ``time.perf_counter``.
    """
    if len(ranked) <= 1:
        return None
    low, high = 0, 1
    while not fits(ranked[:high]):
        if high >= len(ranked) - 1:
            return None
        low, high = high, min(high * 2, len(ranked) - 1)
    while high - low > 1 and perf_counter() < until:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(ranked[:middle]) else (middle, high)
    return list(ranked[:high])


def _flat(parts: list[list[Array]]) -> list[Array]:
    return [run.joined([part[place] for part in parts]) for place in range(len(parts[0]))]
