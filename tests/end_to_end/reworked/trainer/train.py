"""Trains by SageMaker's contract alone: a network of random features with a fitted last layer, and its manifest."""

import csv
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
channel = base / "input" / "data" / "dataset"
width = int(json.loads((base / "input" / "config" / "hyperparameters.json").read_text())["width"])
dataset = json.loads((channel / "dataset.json").read_text())
with (channel / "train.csv").open(newline="") as file:
    table = list(csv.DictReader(file))
rows = np.array([[float(row[name]) for name in dataset["features"]] for row in table], np.float32)
labels = np.array([dataset["classes"].index(row[dataset["label"]]) for row in table])

random, count = np.random.default_rng(1), rows.shape[1]
weights = {
    "mean": rows.mean(axis=0),
    "scale": rows.std(axis=0) + np.float32(1e-6),
    "first": random.normal(0, count**-0.5, (count, width)),
    "second": random.normal(0, (2 / width) ** 0.5, (width, width)),
}
hidden = np.maximum(
    np.maximum((rows - weights["mean"]) / weights["scale"] @ weights["first"], 0) @ weights["second"], 0
)
ridge = hidden.T @ hidden + len(rows) * np.eye(width)
weights["readout"] = 4 * np.linalg.solve(ridge, hidden.T @ (np.eye(2)[labels] - 0.5))
layers = [
    ("Sub", ["features", "mean"], "centred"),
    ("Div", ["centred", "scale"], "scaled"),
    ("MatMul", ["scaled", "first"], "a"),
    ("Relu", ["a"], "b"),
    ("MatMul", ["b", "second"], "c"),
    ("Relu", ["c"], "d"),
    ("MatMul", ["d", "readout"], "logits"),
    ("Softmax", ["logits"], "probabilities"),
]
nodes = [helper.make_node(kind, inputs, [output], output) for kind, inputs, output in layers]
nodes.append(helper.make_node("ArgMax", ["logits"], ["label"], "label", axis=1, keepdims=0))
graph = helper.make_graph(
    nodes,
    "network",
    [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", count])],
    [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2]),
    ],
    [numpy_helper.from_array(one.astype(np.float32), name) for name, one in weights.items()],
)
path = base / "model" / "model.fp32.onnx"
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))

session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
label, probabilities = session.run(["label", "probabilities"], {"features": rows[:1]})
manifest = {
    "format_version": 1,
    "model_name": os.environ["MODEL_NAME"],
    "run_id": os.environ["RUN_ID"],
    "dataset_version": dataset["version"],
    "dataset_uri": os.environ["DATASET_URI"],
    "code_version": os.environ["CODE_VERSION"],
    "algorithm": {"name": "random-features"},
    "files": [
        {
            "precision": "fp32",
            "path": path.name,
            "opset": 17,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    ],
    "inputs": [{"name": "features", "dtype": "float32", "shape": ["batch", count], "columns": dataset["features"]}],
    "outputs": [
        {"name": "label", "dtype": "int64", "shape": ["batch"]},
        {"name": "probabilities", "dtype": "float32", "shape": ["batch", 2]},
    ],
    "content_types": ["application/json"],
    "preprocessing": ["each column less its mean, over its standard deviation"],
    "labels": dataset["classes"],
    "golden_requests": [
        {
            "name": "first",
            "inputs": {"features": rows[:1].tolist()},
            "outputs": {"label": label.tolist(), "probabilities": probabilities.tolist()},
        }
    ],
    "latency_budget_ms": 100.0,
}
(base / "model" / "manifest.json").write_text(json.dumps(manifest))
