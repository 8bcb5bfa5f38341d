"""Models of a few thousand weights, with their manifests: what tests of engines, quantization and tuning work on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto

from benchmarks.serving.graphs import Graph, classes_out
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, GoldenRequest, Manifest, ModelFile, Tensor, sha256_of

WIDTH, CLASSES = 20, 3
Body = Callable[[Graph], str]


def rows(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, WIDTH), dtype=np.float32)


def perceptron(graph: Graph) -> str:
    hidden = graph.op(
        "Relu", graph.op("Gemm", "x", graph.normal(WIDTH, 32, fan_in=WIDTH), graph.weight(np.zeros(32, np.float32)))
    )
    return graph.op("Relu", graph.op("MatMul", hidden, graph.normal(32, 32, fan_in=32)))


def fragile(graph: Graph) -> str:
    """Its first layer takes small differences of great numbers: int8 loses them."""
    weights = np.random.default_rng(9).standard_normal((WIDTH, 32)).astype(np.float32)
    great = graph.op("Add", graph.op("Mul", "x", graph.scalar(0.1)), graph.scalar(50.0))
    mixed = graph.op("MatMul", great, graph.weight(weights))
    centred = graph.op("Sub", mixed, graph.weight(50 * weights.sum(axis=0)))
    return graph.op("MatMul", graph.op("Relu", centred), graph.normal(32, 32, fan_in=32))


def position_dependent(graph: Graph) -> str:
    """Log's last elements of a buffer are computed by other code than the first."""
    values = graph.op("Log", graph.op("Add", graph.op("Abs", "x"), graph.scalar(0.1)))
    return graph.op("MatMul", values, graph.normal(WIDTH, 32, fan_in=WIDTH))


def convolution(graph: Graph) -> str:
    picture = graph.op("Reshape", "x", graph.weight(np.array([-1, 1, 4, 5], np.int64)))
    value = graph.op("Relu", graph.convolution(picture, 1, 16, 3))
    value = graph.op("Relu", graph.convolution(value, 16, 32, 3))
    return graph.op("Flatten", graph.op("GlobalAveragePool", value))


def save(folder: Path, body: Body = perceptron, *, batch: int | str = "batch", **changes: Any) -> Path:
    """A model's folder, its golden answers computed by the file itself."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = Graph(7)
    readout = np.random.default_rng(8).standard_normal((32, CLASSES)).astype(np.float32)
    graph.classifier(body(graph), readout, np.zeros(CLASSES, np.float32))
    inputs = {"x": (TensorProto.FLOAT, [batch, WIDTH])}
    outputs = {name: (kind, [batch, *shape[1:]]) for name, (kind, shape) in classes_out(CLASSES).items()}
    path = folder / "model.fp32.onnx"
    path.write_bytes(graph.finish(inputs, outputs).SerializeToString())
    manifest = _manifest(path, batch, changes)
    (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    return folder


def _manifest(path: Path, batch: int | str, changes: dict[str, Any]) -> Manifest:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    golden = []
    for number, row in enumerate(rows(3, seed=1)):
        label, probabilities = session.run(["label", "probabilities"], {"x": row[None]})
        answer = {"label": label.tolist(), "probabilities": probabilities.tolist()}
        golden.append(GoldenRequest(name=f"row-{number}", inputs={"x": row[None].tolist()}, outputs=answer))
    values = {
        "model_name": "small",
        "run_id": "run-1",
        "dataset_version": "v1",
        "dataset_uri": "s3://lake/small/",
        "code_version": "test",
        "algorithm": {"name": "made"},
        "files": (ModelFile(precision="fp32", path=path.name, opset=17, sha256=sha256_of(path)),),
        "inputs": (Tensor(name="x", dtype="float32", shape=(batch, WIDTH)),),
        "outputs": (
            Tensor(name="label", dtype="int64", shape=(batch,)),
            Tensor(name="probabilities", dtype="float32", shape=(batch, CLASSES)),
        ),
        "content_types": ("application/json",),
        "preprocessing": (),
        "labels": tuple(f"class-{one}" for one in range(CLASSES)),
        "golden_requests": tuple(golden),
        "latency_budget_ms": 100.0,
    }
    return Manifest(**{**values, **changes})
