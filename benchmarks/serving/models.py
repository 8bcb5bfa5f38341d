"""The models that the serving benchmarks ask, made here from fixed seeds: nothing is downloaded.

Their bodies are random features; only the last layer is fitted (ridge regression on made data), so that a label means
something, and a loss of accuracy by quantization shows.

    python -m benchmarks.serving.models FOLDER [NAME ...]
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto

from benchmarks.serving import bodies, forest
from benchmarks.serving.graphs import Graph, classes_out
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, GoldenRequest, Manifest, ModelFile, Tensor, sha256_of
from mlplatform_cdk.serving.quantize import Wanted, quantize

COLUMNS, PIXELS = 30, 224
_SEED = 20260101
_RIDGE = 1.0  # as a share of the features' variance
_MARGIN = 4.0  # how far the logit of a row's own class lies above the others', in the mean
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one model is made.

    :param tensor: its input.
    :param classes: how many it tells apart.
    :param rows: how many rows the readout is fitted on.
    :param sample: rows of made data from a generator, for these classes.
    :param body: adds the nodes to a graph; the name and the width of the features. None: the forest, made whole.
    :param latency_budget_ms: of the manifest.
    """

    tensor: Tensor
    classes: int
    rows: int
    sample: Callable[[np.random.Generator, NDArray[np.int64]], NDArray[Any]]
    body: Callable[[Graph], tuple[str, int]] | None
    latency_budget_ms: float = 100.0


def _columns(random: np.random.Generator, classes: NDArray[np.int64]) -> NDArray[Any]:
    centres = np.random.default_rng(_SEED).normal(0, 0.4, (2, COLUMNS))
    return (centres[classes] + random.normal(0, 1, (len(classes), COLUMNS))).astype(np.float32)


def _pictures(random: np.random.Generator, classes: NDArray[np.int64]) -> NDArray[Any]:
    coarse = np.random.default_rng(_SEED).normal(0, 1, (10, 3, 14, 14)).astype(np.float32)
    patterns = coarse.repeat(PIXELS // 14, axis=2).repeat(PIXELS // 14, axis=3)
    noise = random.standard_normal((len(classes), 3, PIXELS, PIXELS), dtype=np.float32)
    return patterns[classes] * np.float32(2) + noise


def _texts(random: np.random.Generator, classes: NDArray[np.int64]) -> NDArray[Any]:
    topics = np.random.default_rng(_SEED).integers(0, bodies.VOCABULARY, (4, 400))
    of_topic = topics[classes[:, None], random.integers(0, 400, (len(classes), bodies.SEQUENCE))]
    anything = random.integers(0, bodies.VOCABULARY, of_topic.shape)
    return np.where(random.random(of_topic.shape) < 0.5, of_topic, anything).astype(np.int64)  # noqa: PLR2004


RECIPES: Mapping[str, Recipe] = {
    "tabular": Recipe(
        tensor=Tensor(
            name="features", dtype="float32", shape=("batch", COLUMNS), columns=tuple(f"c{n}" for n in range(COLUMNS))
        ),
        classes=2,
        rows=2000,
        sample=_columns,
        body=lambda graph: bodies.perceptron(graph, COLUMNS),
    ),
    "forest": Recipe(
        tensor=Tensor(
            name="features", dtype="float32", shape=("batch", COLUMNS), columns=tuple(f"c{n}" for n in range(COLUMNS))
        ),
        classes=2,
        rows=2000,
        sample=_columns,
        body=None,
    ),
    "image": Recipe(
        tensor=Tensor(name="image", dtype="float32", shape=("batch", 3, PIXELS, PIXELS)),
        classes=10,
        rows=200,
        sample=_pictures,
        body=bodies.resnet18,
        latency_budget_ms=500.0,
    ),
    "transformer": Recipe(
        tensor=Tensor(name="tokens", dtype="int64", shape=("batch", bodies.SEQUENCE)),
        classes=4,
        rows=400,
        sample=_texts,
        body=bodies.encoder,
        latency_budget_ms=500.0,
    ),
}


def make(name: str, folder: Path) -> Path:
    """Write the model ``name`` with its manifest into its own folder, and ``<name>.npz`` to calibrate on beside it.

    :param name: any of ``RECIPES``.
    :param folder: where the model's own folder is made; one that is there already is kept.
    """
    recipe, target = RECIPES[name], folder / name
    if (target / MANIFEST_NAME).is_file():
        return target
    target.mkdir(parents=True, exist_ok=True)
    path = target / "model.fp32.onnx"
    path.write_bytes(_model(recipe).SerializeToString())
    labels, rows = sample(name, 64, seed=2)
    arrays: dict[str, Any] = {"label": labels, recipe.tensor.name: rows}
    np.savez(folder / f"{name}.npz", **arrays)
    (target / MANIFEST_NAME).write_text(_manifest(name, recipe, path).to_json(), encoding="utf-8")
    return target


def make_int8(name: str, folder: Path) -> Path:
    """The model ``name`` with an int8 file beside fp32, as ``mlplatform quantize`` makes it; the model's folder.

    :param name: any of ``RECIPES``; ``tabular`` and ``forest`` stay fp32, since int8 does not pay there.
    :param folder: where ``make`` was told to write.
    """
    target = folder / f"{name}-int8"
    if not target.exists():
        quantize(make(name, folder), folder / f"{name}.npz", target, Wanted(seconds=60))
    return target


def sample(name: str, count: int, *, seed: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Classes and rows of made data for the model ``name``.

    :param count: how many rows.
    :param seed: 1 is what the model was fitted on.
    """
    random = np.random.default_rng(seed)
    recipe = RECIPES[name]
    labels = random.integers(0, recipe.classes, count)
    return labels, recipe.sample(random, labels)


def _model(recipe: Recipe) -> Any:
    random = np.random.default_rng(1)
    labels = random.integers(0, recipe.classes, recipe.rows)
    rows = recipe.sample(random, labels)
    if recipe.body is None:
        return forest.grow(rows, labels, recipe.classes, seed=_SEED)
    kind = TensorProto.INT64 if recipe.tensor.dtype == "int64" else TensorProto.FLOAT
    inputs = {recipe.tensor.name: (kind, list(recipe.tensor.shape))}
    features = _features(recipe, inputs, rows)
    graph = Graph(_SEED)
    output, _ = recipe.body(graph)
    graph.classifier(output, *_readout(features, labels, recipe.classes))
    return graph.finish(inputs, classes_out(recipe.classes))


def _features(recipe: Recipe, inputs: dict[str, tuple[Any, ...]], rows: NDArray[Any]) -> NDArray[np.float64]:
    assert recipe.body
    graph = Graph(_SEED)
    output, width = recipe.body(graph)
    model = graph.finish(inputs, {output: (TensorProto.FLOAT, ["batch", width])})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    parts = [session.run([output], {recipe.tensor.name: rows[at : at + 8]})[0] for at in range(0, len(rows), 8)]
    return np.concatenate(parts).astype(np.float64)


def _readout(features: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> tuple[Any, Any]:
    """Ridge regression on one-hot classes (Hoerl and Kennard 1970), sharpened until a row's own class stands out.

    The ridge is wide: a readout that lives on the smallest differences of random features is like no trained model, and
    no quantization keeps it.
    """
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    table = (features - centre) / scale
    targets = np.eye(classes)[labels] - 1 / classes
    ridge = _RIDGE * len(table) * np.eye(table.shape[1])
    weights = np.linalg.solve(table.T @ table + ridge, table.T @ targets)
    weights *= _MARGIN / np.mean(np.sum(table @ weights * targets, axis=1))
    weights /= scale[:, None]
    return weights.astype(np.float32), (-centre @ weights).astype(np.float32)


def _manifest(name: str, recipe: Recipe, path: Path) -> Manifest:
    _, rows = sample(name, 12, seed=3)
    if recipe.tensor.dtype == "float32":
        rows = np.round(rows.astype(np.float64), 1)  # the manifest holds them digit by digit
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    tensor, asked = recipe.tensor, []
    for row in rows:
        label, probabilities = session.run(["label", "probabilities"], {tensor.name: row[None].astype(tensor.dtype)})
        asked.append((float(np.max(probabilities)), row, label, probabilities))
    surest = sorted(asked, key=lambda one: -one[0])[: 1 if name == "image" else 3]
    golden = [
        GoldenRequest(
            name=f"row-{number}",
            inputs={tensor.name: row[None].tolist()},
            outputs={"label": label.tolist(), "probabilities": probabilities.tolist()},
        )
        for number, (_, row, label, probabilities) in enumerate(surest)
    ]
    return Manifest(
        model_name=f"benchmark-{name}",
        run_id="benchmark",
        dataset_version="made",
        dataset_uri="s3://none/made/",
        code_version="benchmark",
        algorithm={"name": name},
        files=(ModelFile(precision="fp32", path=path.name, opset=17, sha256=sha256_of(path)),),
        inputs=(tensor,),
        outputs=(
            Tensor(name="label", dtype="int64", shape=("batch",)),
            Tensor(name="probabilities", dtype="float32", shape=("batch", recipe.classes)),
        ),
        content_types=("application/json", "text/csv", "application/x-npy"),
        preprocessing=(),
        labels=tuple(f"class-{one}" for one in range(recipe.classes)),
        golden_requests=tuple(golden),
        latency_budget_ms=recipe.latency_budget_ms,
    )


def main(arguments: list[str]) -> None:
    """Make the models that ``arguments`` name after the folder, or all."""
    folder, names = Path(arguments[0]), arguments[1:] or list(RECIPES)
    for name in names:
        target = make(name, folder)
        size = sum(one.stat().st_size for one in target.iterdir())
        sys.stdout.write(f"{target}: {size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
