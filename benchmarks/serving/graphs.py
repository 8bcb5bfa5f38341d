"""ONNX graphs written node by node, with weights from one seeded generator."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
Floats = NDArray[np.float32]


class Graph:
    """Collects nodes and weights; every method that adds a node returns the name of its output.

    :param seed: of the weights.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def weight(self, array: NDArray[Any]) -> str:
        """A constant."""
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def scalar(self, value: float) -> str:
        """A constant of one number."""
        return self.weight(np.array(value, np.float32))

    def normal(self, *shape: int, fan_in: int) -> str:
        """A weight drawn as He initialisation draws it (He et al. 2015): variance 2 / fan_in."""
        values = self.random.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / fan_in))
        return self.weight(values)

    def op(self, kind: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """One node with one output."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(kind, list(inputs), [name], f"n{len(self._nodes)}", domain=domain, **attributes)
        )
        return name

    def node(self, node: Any) -> None:
        """A node made elsewhere."""
        self._nodes.append(node)

    def dense(self, value: str, width_in: int, width_out: int) -> str:
        """Rows times a weight matrix, plus a bias."""
        product = self.op("MatMul", value, self.normal(width_in, width_out, fan_in=2 * width_in))
        return self.op("Add", product, self.weight(np.zeros(width_out, np.float32)))

    def convolution(self, value: str, channels_in: int, channels_out: int, size: int, stride: int = 1) -> str:
        """A convolution with its batch normalization folded in."""
        kernel = self.normal(channels_out, channels_in, size, size, fan_in=channels_in * size * size)
        bias = self.weight(self.random.normal(0, 0.05, channels_out).astype(np.float32))
        return self.op("Conv", value, kernel, bias, strides=[stride] * 2, pads=[size // 2] * 4, kernel_shape=[size] * 2)

    def classifier(self, value: str, readout: Floats, bias: Floats) -> None:
        """The outputs ``probabilities`` and ``label`` from features: a linear readout, softmax, the likeliest."""
        logits = self.op("Gemm", value, self.weight(readout), self.weight(bias))
        self.op("Softmax", logits, axis=1, output="probabilities")
        self.op("ArgMax", "probabilities", axis=1, keepdims=0, output="label")

    def finish(self, inputs: dict[str, tuple[Any, ...]], outputs: dict[str, tuple[Any, ...]]) -> Any:
        """The model.

        :param inputs: by name, the element type and the shape.
        :param outputs: likewise.
        """
        values = [[_value(name, *one) for name, one in side.items()] for side in (inputs, outputs)]
        graph = helper.make_graph(self._nodes, "model", *values, self._weights)
        model = helper.make_model(graph, opset_imports=OPSETS, ir_version=9, producer_name="mlplatform-benchmarks")
        onnx.checker.check_model(model)
        return model


def classes_out(classes: int) -> dict[str, tuple[Any, ...]]:
    """The outputs of a classifier, as ``Graph.finish`` takes them."""
    return {
        "label": (TensorProto.INT64, ["batch"]),
        "probabilities": (TensorProto.FLOAT, ["batch", classes]),
    }


def _value(name: str, kind: int, shape: list[int | str]) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)
