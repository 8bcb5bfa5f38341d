"""The bodies of the benchmark's models: what turns an input into features."""

import math

import numpy as np

from benchmarks.serving.graphs import Graph

SEQUENCE, VOCABULARY, WIDTH, HEADS, LAYERS = 128, 4000, 384, 12, 6


def resnet18(graph: Graph) -> tuple[str, int]:
    """ResNet-18 (He et al. 2016): 11 million weights, 1.8 billion multiplications for 224 x 224 pixels."""
    value = graph.op("Relu", graph.convolution("image", 3, 64, 7, stride=2))
    value = graph.op("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for wide, first_stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        value = _residual(graph, value, channels, wide, first_stride)
        channels = wide
    return graph.op("Flatten", graph.op("GlobalAveragePool", value)), channels


def encoder(graph: Graph) -> tuple[str, int]:
    """A transformer encoder of six layers and 384 units, as small sentence encoders are; 128 tokens."""
    table = graph.random.standard_normal((VOCABULARY, WIDTH), dtype=np.float32)
    places = graph.random.standard_normal((1, SEQUENCE, WIDTH), dtype=np.float32) * np.float32(0.1)
    value = graph.op("Add", graph.op("Gather", graph.weight(table), "tokens"), graph.weight(places))
    for _ in range(LAYERS):
        value = _norm(graph, graph.op("Add", value, _attention(graph, value)))
        value = _norm(graph, graph.op("Add", value, _feed_forward(graph, value)))
    return graph.op("ReduceMean", value, axes=[1], keepdims=0), WIDTH


def perceptron(graph: Graph, width: int) -> tuple[str, int]:
    """Three layers over the columns of a table."""
    value = graph.op("Sub", "features", graph.weight(np.full(width, 0.1, np.float32)))
    value = graph.op("Div", value, graph.weight(np.full(width, 1.1, np.float32)))
    for width_in, width_out in ((width, 128), (128, 64)):
        bias = graph.weight(graph.random.normal(0, 0.1, width_out).astype(np.float32))
        value = graph.op("Relu", graph.op("Gemm", value, graph.normal(width_in, width_out, fan_in=width_in), bias))
    return value, 64


def _residual(graph: Graph, value: str, channels: int, wide: int, stride: int) -> str:
    aside = value if channels == wide and stride == 1 else graph.convolution(value, channels, wide, 1, stride)
    inner = graph.op("Relu", graph.convolution(value, channels, wide, 3, stride))
    inner = graph.op("Mul", graph.convolution(inner, wide, wide, 3), graph.scalar(0.5))
    return graph.op("Relu", graph.op("Add", inner, aside))


def _attention(graph: Graph, value: str) -> str:
    size = WIDTH // HEADS
    split = graph.weight(np.array([0, SEQUENCE, HEADS, size], np.int64))
    whole = graph.weight(np.array([0, SEQUENCE, WIDTH], np.int64))

    def heads(order: list[int]) -> str:
        return graph.op("Transpose", graph.op("Reshape", graph.dense(value, WIDTH, WIDTH), split), perm=order)

    scores = graph.op("MatMul", heads([0, 2, 1, 3]), heads([0, 2, 3, 1]))
    shares = graph.op("Softmax", graph.op("Mul", scores, graph.scalar(1 / math.sqrt(size))), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", shares, heads([0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return graph.dense(graph.op("Reshape", mixed, whole), WIDTH, WIDTH)


def _feed_forward(graph: Graph, value: str) -> str:
    inner = graph.dense(value, WIDTH, 4 * WIDTH)
    error = graph.op("Erf", graph.op("Div", inner, graph.scalar(math.sqrt(2))))
    gate = graph.op("Mul", inner, graph.op("Add", error, graph.scalar(1)))
    return graph.dense(graph.op("Mul", gate, graph.scalar(0.5)), 4 * WIDTH, WIDTH)


def _norm(graph: Graph, value: str) -> str:
    scale, shift = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    return graph.op("LayerNormalization", value, graph.weight(scale), graph.weight(shift), axis=-1)
