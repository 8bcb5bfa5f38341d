"""Does every model come back, in int8 where the tools can be helped to it, and is the reason true where not?"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.serving.graphs import Graph
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, read_folder, sha256_of
from mlplatform_cdk.serving.quantize import QuantizeError, Wanted, quantize
from mlplatform_cdk.serving.quantize import prepare as prepare_module
from mlplatform_cdk.serving.quantize.golden import golden_tolerance
from mlplatform_cdk.serving.quantize.prepare import layers_of, prepare
from mlplatform_cdk.serving.quantize.report import Outcome
from tests.serving import small_models

ANY_SPEED = Wanted(tolerance=0.3, seconds=30, least_gain=1e-9)


def values(shape: list[int | str], name: str, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def saved(
    folder: Path, model: Any, rows: np.ndarray[Any, Any], *, labels: tuple[str, ...] = (), external: bool = False
) -> Path:
    """A model's folder with golden answers to the first three of ``rows``; its input is ``x``."""
    folder.mkdir()
    path = folder / "model.fp32.onnx"
    onnx.save(model, str(path), save_as_external_data=external, location="weights.bin", size_threshold=0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    golden = [
        {
            "name": f"row-{place}",
            "inputs": {"x": rows[place : place + 1].tolist()},
            "outputs": {
                name: np.where(np.isnan(one), None, one).tolist() if one.dtype.kind == "f" else one.tolist()
                for name, one in zip(names, session.run(names, {"x": rows[place : place + 1]}), strict=True)
            },
        }
        for place in range(3)
    ]
    base = json.loads((small_models.save(folder / "base") / MANIFEST_NAME).read_text())
    tensors = {
        side: [{"name": one.name, "dtype": _TYPES[one.type], "shape": one.shape, "columns": []} for one in found]
        for side, found in (("inputs", session.get_inputs()), ("outputs", session.get_outputs()))
    }
    file = base["files"][0] | {"sha256": sha256_of(path)}
    manifest = base | tensors | {"files": [file], "golden_requests": golden, "labels": list(labels)}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    return folder


_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64"}


def graph(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: dict[str, Any], opset: int = 17) -> Any:
    constants = [numpy_helper.from_array(np.asarray(one), name) for name, one in weights.items()]
    made = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def normal(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(sum(shape)).standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[0]))


def dense(opset: int = 17, batch: int | str = "batch", width: int = 4, **ends: Any) -> Any:
    """``x`` of 20 numbers through two layers with a bias to ``y``; with an ``end``, through that."""
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], "first"),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["y" if not ends else "z"], "second"),
        *([helper.make_node(ends["end"], ["z"], ["y"])] if ends else []),
    ]
    weights = {"w0": normal(20, 32), "b0": normal(32), "w1": normal(32, width), "b1": normal(width)}
    return graph(nodes, [values([batch, 20], "x")], [values([batch, width], "y")], weights, opset)


def outcome(model: Path, rows: np.ndarray[Any, Any], wanted: Wanted = ANY_SPEED, **more: Any) -> Outcome:
    np.savez(model.parent / "data.npz", x=rows, **more)
    report = quantize(model, model.parent / "data.npz", model.parent / "out", wanted)
    return report.outcomes[0]


ROWS = small_models.rows(64, seed=3)


@pytest.mark.parametrize("opset", [9, 11, 12])
def test_a_model_of_an_old_opset_is_brought_to_one_that_knows_scales_for_each_channel(
    tmp_path: Path, opset: int
) -> None:
    assert outcome(saved(tmp_path / "m", dense(opset), ROWS), ROWS).made


def test_weights_that_an_embedding_and_a_layer_share_are_parted(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["table", "x"], ["e"]),
        helper.make_node("ReduceMean", ["e"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["mean", "table"], ["y"], "out", transB=1),
    ]
    places = [values(["batch", "tokens"], "x", TensorProto.INT64)]
    model = graph(nodes, places, [values(["batch", 100], "y")], {"table": normal(100, 32)})
    rows = np.random.default_rng(1).integers(0, 100, (64, 8))

    found = outcome(saved(tmp_path / "m", model, rows), rows)

    assert (found.method, found.made) == ("dynamic", True)


def test_what_one_style_cannot_do_the_other_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnxruntime import quantization

    real: Callable[..., None] = quantization.quantize_static

    def refusing(*given: Any, **more: Any) -> None:
        if "Softmax" in more["op_types_to_quantize"]:
            raise ValueError("Only an existing tensor can be modified")
        real(*given, **more)

    monkeypatch.setattr(quantization, "quantize_static", refusing)

    assert outcome(small_models.save(tmp_path / "m"), ROWS).made


def test_weights_in_files_beside_the_model_count_and_are_quantized(tmp_path: Path) -> None:
    found = outcome(
        saved(tmp_path / "m", dense(), ROWS, external=True), ROWS, Wanted(precisions=("fp16",), tolerance=0.1)
    )
    assert found.made
    assert found.bytes_before > 4 * (20 * 32 + 32 * 4)

    (tmp_path / "data.npz").unlink()
    np.savez(tmp_path / "data.npz", x=ROWS)
    assert quantize(tmp_path / "m", tmp_path / "data.npz", tmp_path / "int8", ANY_SPEED).outcomes[0].made
    assert (tmp_path / "int8" / "weights.bin").is_file()


def test_weights_that_one_file_cannot_hold_keep_the_model_in_fp32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare_module, "_LARGEST", 1000)

    found = outcome(saved(tmp_path / "m", dense(), ROWS, external=True), ROWS)

    assert not found.made
    assert found.reason.startswith("a model must fit into one file of 2 GiB to be quantized, got ")


@pytest.mark.parametrize("batch", [4, 2])
def test_a_model_that_takes_several_rows_and_no_other_number_is_refused_in_one_sentence(
    tmp_path: Path, batch: int
) -> None:
    folder = saved(tmp_path / "m", dense(), ROWS)
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    manifest["inputs"][0]["shape"] = [batch, 20]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))

    with pytest.raises(
        QuantizeError, match=r"must take one row at a time to be quantized, got the input x of the shape"
    ):
        outcome(folder, ROWS)


def test_a_model_with_a_class_for_each_token_is_compared_token_by_token(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"], "heavy"),
        helper.make_node("ArgMax", ["z"], ["label"], axis=2, keepdims=0),
    ]
    places, classes = [values(["batch", 6, 20], "x")], [values(["batch", 6], "label", TensorProto.INT64)]
    model = graph(nodes, places, classes, {"w": normal(20, 3)})
    rows = np.random.default_rng(5).standard_normal((64, 6, 20), dtype=np.float32)

    found = outcome(saved(tmp_path / "m", model, rows, labels=("a", "b", "c")), rows)

    assert found.accuracy is not None
    assert found.accuracy.measure == "disagreement"
    assert 0 < found.accuracy.metrics["agreement"] <= 1


def test_answers_whose_sizes_vary_keep_the_model_in_fp32(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"], "heavy"),
        helper.make_node("Relu", ["z"], ["r"]),
        helper.make_node("NonZero", ["r"], ["y"]),
    ]
    out = [values([2, "found"], "y", TensorProto.INT64)]
    model = graph(nodes, [values(["batch", 20], "x")], out, {"w": normal(20, 4)})

    found = outcome(saved(tmp_path / "m", model, ROWS), ROWS)

    assert not found.made
    assert "answers must be of one size to be compared row by row" in found.reason


def test_a_golden_request_keeps_its_likeliest_class_though_nothing_is_called_label(tmp_path: Path) -> None:
    def biased(first: float, name: str) -> str:
        """What is said of a model that is sure of the first class, or of the second one."""
        other = dense(width=2, end="Softmax")
        bias = next(one for one in other.graph.initializer if one.name == "b1")
        bias.CopyFrom(numpy_helper.from_array(np.array([first, -first], np.float32), "b1"))
        onnx.save(other, str(tmp_path / name))
        return golden_tolerance(manifest, tmp_path / name, "fp32")[0]

    model = saved(tmp_path / "m", dense(width=2, end="Softmax"), ROWS, labels=("no", "yes"))
    manifest = read_folder(model)

    assert golden_tolerance(manifest, model / "model.fp32.onnx", "fp32")[0] == ""
    told = "".join({biased(50, "no.onnx"), biased(-50, "yes.onnx")})  # one of the two is right of the first request
    assert re.match(r"the golden request row-\d gets another class than in fp32", told)


def test_layers_of_a_dynamic_file_stay_in_fp32_too_where_they_must(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "m", small_models.fragile, batch=1)

    found = outcome(model, ROWS, Wanted(tolerance=0.1, seconds=60, least_gain=1e-9))

    assert (found.method, found.made) == ("dynamic", True)
    assert 0 < len(found.kept) < found.layers


def test_a_model_of_one_layer_over_the_tolerance_is_told_by_its_error(tmp_path: Path) -> None:
    model = graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "only")],
        [values(["batch", 20], "x")],
        [values(["batch", 4], "y")],
        {"w": normal(20, 4)},
    )

    found = outcome(saved(tmp_path / "m", model, ROWS), ROWS, Wanted(tolerance=1e-6, least_gain=1e-9))

    assert found.reason.endswith("is over the tolerance of 1e-06, however many layers stay in fp32; so it stays fp32")


def test_a_file_with_nothing_in_int8_is_never_made_whatever_the_clock_says(tmp_path: Path) -> None:
    double = graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "only")],
        [values(["batch", 20], "x", TensorProto.DOUBLE)],
        [values(["batch", 4], "y", TensorProto.DOUBLE)],
        {"w": normal(20, 4).astype(np.float64)},
    )
    rows = ROWS.astype(np.float64)

    assert "could put no layer of it into int8" in outcome(saved(tmp_path / "m", double, rows), rows).reason


def test_one_share_for_two_classes_counts_as_a_class_where_labels_are_known(tmp_path: Path) -> None:
    model = saved(tmp_path / "m", dense(width=1, end="Sigmoid"), ROWS, labels=("no", "yes"))

    found = outcome(model, ROWS, label=np.arange(64) % 2)

    assert found.accuracy is not None
    assert {"accuracy_before", "accuracy_after"} <= set(found.accuracy.metrics)


def test_a_golden_answer_that_is_no_number_stays_none(tmp_path: Path) -> None:
    nodes = [*dense(end="Log").graph.node]
    weights = {one.name: numpy_helper.to_array(one) for one in dense().graph.initializer}
    model = graph(nodes, [values(["batch", 20], "x")], [values(["batch", 4], "y")], weights)

    found = outcome(saved(tmp_path / "m", model, ROWS), ROWS, Wanted(precisions=("fp16",), least_gain=1e-9))

    assert not found.made  # the logarithm of a negative number is none, in either precision
    assert "nan" in found.reason


def test_a_golden_request_must_get_numbers(tmp_path: Path) -> None:
    manifest = read_folder(saved(tmp_path / "m", dense(), ROWS))
    onnx.save(dense(end="Log"), str(tmp_path / "logarithm.onnx"))

    problem, _ = golden_tolerance(manifest, tmp_path / "logarithm.onnx", "fp16")

    assert problem == "the golden request row-0 gets a y that is no number"


def test_nodes_without_names_get_some_and_no_two_the_same(tmp_path: Path) -> None:
    maker = Graph(1)
    first = maker.op("MatMul", "x", maker.normal(4, 4, fan_in=4))
    maker.op("MatMul", first, maker.normal(4, 4, fan_in=4), output="y")
    model = maker.finish({"x": (TensorProto.FLOAT, ["n", 4])}, {"y": (TensorProto.FLOAT, ["n", 4])})
    for node in model.graph.node:
        node.name = "" if node.output[0] == "y" else "MatMul_1"
    onnx.save(model, str(tmp_path / "a.onnx"))

    prepare(tmp_path / "a.onnx", tmp_path / "b.onnx")

    assert list(layers_of(tmp_path / "b.onnx")) == ["MatMul_1", "MatMul_1_"]


def test_the_rows_that_are_measured_are_bounded_and_taken_evenly(tmp_path: Path) -> None:
    many = small_models.rows(20_000, seed=4)
    model = small_models.save(tmp_path / "m")
    np.savez(tmp_path / "data.npz", x=many)

    report = quantize(model, tmp_path / "data.npz", tmp_path / "out", ANY_SPEED)

    assert report.rows_measured == 2000
    assert read_folder(tmp_path / "out").file("int8")
