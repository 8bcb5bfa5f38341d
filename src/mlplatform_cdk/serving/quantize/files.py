"""ONNX files in other precisions: static int8 (QDQ), dynamic int8, and fp16."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.serving.quantize.data import Inputs
from mlplatform_cdk.serving.quantize.errors import QuantizeError
from mlplatform_cdk.serving.quantize.prepare import HEAVY, layers_of, prepare

# Convolutions stay: with scales of their own they were seen five times slower than fp32.
_DYNAMIC = ("Gemm", "MatMul")
# Which is faster depends on the model: with all that can be in int8 a convolutional network changes types seldom; a
# transformer gains where its softmax, its sums and its products of two activations stay as they are.
STYLES = ("all", "sparing")
_SPARED = ("Softmax", "Add", "Mul")


class StaticInt8:
    """Makes int8 files of one model with one set of measured ranges.

    Activations are unsigned and weights signed, per output channel: that is what the int8 instructions of x86 (VNNI,
    AMX) multiply. Signed activations were seen 39 times slower, unsigned weights no faster than fp32.

    :param source: the fp32 file.
    :param folder: for what is made on the way.
    :param rows: requests of one row, to measure the ranges of all tensors on.

    ``style`` is one of ``STYLES``.
    """

    def __init__(self, source: Path, folder: Path, rows: Sequence[Inputs]) -> None:
        from onnxruntime.quantization.shape_inference import quant_pre_process

        self._rows = list(rows)
        self._nodes: dict[str, Any] = {}
        self._source, self._folder, self._prepared = source, folder, folder / "prepared.onnx"
        self.style = STYLES[0]
        with _quiet(), _told(source):
            prepare(source, self._prepared)
            quant_pre_process(str(self._prepared), str(self._prepared), skip_symbolic_shape=True)

    def layers(self) -> dict[str, str]:
        """The nodes that can be computed in int8, by name, with their operators, in the order of the graph."""
        return layers_of(self._prepared)

    def _operators(self) -> list[str]:
        from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

        every = sorted({*QDQRegistry, *QLinearOpsRegistry})
        return every if self.style == "all" else [one for one in every if one not in _SPARED]

    def _spared(self) -> list[str]:
        """Products of two activations, where those stay as they are."""
        if self.style == "all":
            return []
        layers = self.layers()
        return [name for name, node in self._graph().items() if node.op_type in HEAVY and name not in layers]

    def _graph(self) -> dict[str, Any]:
        """The nodes by name."""
        import onnx

        if not self._nodes:
            graph = onnx.load(str(self._prepared), load_external_data=False).graph
            self._nodes.update({node.name: node for node in graph.node})
        return self._nodes

    def _around(self, layer: str) -> set[str]:
        """The light nodes (sums, activations) that round what ``layer`` takes, two steps back, or gives, one on."""
        nodes = self._graph()
        made = {output: node for node in nodes.values() for output in node.output}
        here = nodes[layer]
        back = [made[one] for one in here.input if one in made]
        further = [made[one] for node in back if node.op_type not in HEAVY for one in node.input if one in made]
        on = [node for node in nodes.values() if set(node.input) & set(here.output)]
        return {node.name for node in (*back, *further, *on) if node.op_type not in HEAVY}

    def write(self, target: Path, *, keep: Sequence[str] = (), only: Sequence[str] = ()) -> None:
        """Write the model in int8.

        :param target: the file.
        :param keep: nodes that stay in fp32, with the light ones right around them; default: none.
        :param only: the only nodes in int8; default: all.
        """
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        with _quiet(), _told(self._source):
            quantize_static(
                str(self._prepared),
                str(target),
                _Reader(self._rows),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=self._operators(),
                nodes_to_exclude=sorted(
                    {*self._spared(), *keep, *(one for name in keep for one in self._around(name))}
                ),
                nodes_to_quantize=list(only),
                calibration_cache_path=str(self._folder / f"ranges.{self.style}.json"),
            )


class DynamicInt8:
    """Makes int8 files whose scales are taken over each request: for a model that computes one request at a time.

    :param source: the fp32 file.
    :param folder: for what is made on the way.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self._source, self._prepared = source, folder / "prepared.onnx"
        with _quiet(), _told(source):
            prepare(source, self._prepared)

    def layers(self) -> dict[str, str]:
        """See ``StaticInt8.layers``."""
        return layers_of(self._prepared, _DYNAMIC)

    def write(self, target: Path, *, keep: Sequence[str] = (), only: Sequence[str] = ()) -> None:
        """See ``StaticInt8.write``."""
        from onnxruntime.quantization import QuantType, quantize_dynamic

        with _quiet(), _told(self._source):
            quantize_dynamic(
                str(self._prepared),
                str(target),
                weight_type=QuantType.QInt8,
                op_types_to_quantize=list(_DYNAMIC),
                nodes_to_exclude=_as_named(keep),
                nodes_to_quantize=_as_named(only),
            )


def _as_named(layers: Sequence[str]) -> list[str]:
    """``layers`` as the tools have named them by then: a Gemm becomes a MatMul and an Add first."""
    return [name for layer in layers for name in (layer, f"{layer}_MatMul")]


def write_fp16(source: Path, target: Path) -> None:
    """Write the model with 16-bit weights and arithmetic; its inputs and outputs keep their types."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with _quiet(), _told(source):
        model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
        onnx.save(model, str(target))


def opset_of(path: Path) -> int:
    """The version of ONNX's own operators that the file at ``path`` needs."""
    import onnx

    versions = {one.domain: one.version for one in onnx.load(str(path), load_external_data=False).opset_import}
    return int(versions.get("", versions.get("ai.onnx", 1)))


class _Reader:
    """Rows, one after another, as ONNX Runtime's calibration asks for them."""

    def __init__(self, rows: Sequence[Inputs]) -> None:
        self._rows = iter(rows)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next row; None after the last."""
        row = next(self._rows, None)
        return None if row is None else {name: np.ascontiguousarray(one) for name, one in row.items()}

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        return iter(self.get_next, None)


@contextlib.contextmanager
def _told(source: Path) -> Iterator[None]:
    """The tools' errors are of many types, a failed assertion among them; each becomes one sentence."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise QuantizeError(f"the tools could not quantize {source.name}: {reason}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """ONNX Runtime's tools print, log and warn about what is as it should be here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
