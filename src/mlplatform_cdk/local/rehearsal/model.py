"""The model of the rehearsals: four numbers, two classes, a few microseconds; made here, nothing is downloaded."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, GoldenRequest, Manifest, ModelFile, Tensor

NAME = "rehearsed"
FILE = "model.onnx"
OPSET = 17
COLUMNS = ("one", "two", "three", "four")
# What separates the classes, and the rows that are asked; the expected answers are computed below, in plain Python.
WEIGHTS = (2.0, -1.0, 0.5, 1.5)
ROWS = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.5, 2.0, 1.0, -0.5), (1.0, 1.0, 1.0, 1.0))
# Generous, since the two cores of a rehearsal do everything else as well.
LATENCY_BUDGET_MS = 250.0


@dataclass(frozen=True, slots=True)
class Made:
    """A version, before anybody has registered it.

    :param archive: ``model.tar.gz``.
    :param manifest: what lies in it as ``manifest.json``.
    """

    archive: bytes
    manifest: Manifest


def make(run_id: str, *, hooks: str | None = None) -> Made:
    """A version that answers its golden requests.

    :param run_id: the run that it says it comes from.
    :param hooks: the text of its ``hooks.py``; default: none.
    """
    graph = _graph()
    manifest = _manifest(run_id, hashlib.sha256(graph).hexdigest())
    files = {FILE: graph, MANIFEST_NAME: manifest.to_json().encode()}
    if hooks is not None:
        files["hooks.py"] = hooks.encode()
    return Made(_packed(files), manifest)


def _graph() -> bytes:
    """The score of a row is above 0, or not."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.array([[each] for each in WEIGHTS], np.float32), "weights")
    zero = numpy_helper.from_array(np.array(0.0, np.float32), "zero")
    columns = numpy_helper.from_array(np.array([1], np.int64), "columns")
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["scores"]),
        helper.make_node("Squeeze", ["scores", "columns"], ["score"]),
        helper.make_node("Greater", ["score", "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["label"], to=TensorProto.INT64),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", len(COLUMNS)])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch"]),
    ]
    graph = helper.make_graph(nodes, NAME, inputs, outputs, [weights, zero, columns])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _manifest(run_id: str, digest: str) -> Manifest:
    return Manifest(
        model_name=NAME,
        run_id=run_id,
        dataset_version="rehearsal",
        dataset_uri="s3://rehearsal/none/",
        code_version="rehearsal",
        algorithm={"name": "weighted-sum"},
        files=(ModelFile(precision="fp32", path=FILE, opset=OPSET, sha256=digest),),
        inputs=(Tensor(name="features", dtype="float32", shape=("batch", len(COLUMNS)), columns=COLUMNS),),
        outputs=(
            Tensor(name="label", dtype="int64", shape=("batch",)),
            Tensor(name="score", dtype="float32", shape=("batch",)),
        ),
        content_types=("application/json",),
        preprocessing=("none",),
        golden_requests=tuple(_golden(place, row) for place, row in enumerate(ROWS)),
        latency_budget_ms=LATENCY_BUDGET_MS,
        labels=("below", "above"),
    )


def _golden(place: int, row: tuple[float, ...]) -> GoldenRequest:
    score = sum(weight * value for weight, value in zip(WEIGHTS, row, strict=True))
    return GoldenRequest(
        name=f"row-{place}", inputs={"features": [[*row]]}, outputs={"label": [int(score > 0)], "score": [score]}
    )


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
