"""The step: fit on the train split, export, prove the export on the validation split, write the model folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.runtimekit.dataset import Dataset, DatasetError, Split, read_split
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest, ModelFile, Tensor, sha256_of
from mlplatform_cdk.training.train.runtime import algorithms, onnx_export
from mlplatform_cdk.training.train.runtime.golden import golden_requests
from mlplatform_cdk.training.train.runtime.hyperparameters import Hyperparameters

MODEL_FILE = "model.fp32.onnx"
CONTENT_TYPES = (
    "application/json",
    "text/csv",
    "application/jsonlines",
    "application/x-npy",
    "application/octet-stream",
)
_log = logs.logger("train")


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the manifest says of the model and only the environment knows; read first, so that nothing is in vain."""

    model_name: str
    run_id: str
    dataset_uri: str
    code_version: str
    latency_budget_ms: float

    @classmethod
    def from_environment(cls) -> "_Origin":
        return cls(
            model_name=settings.required("MODEL_NAME"),
            run_id=settings.required("RUN_ID"),
            dataset_uri=settings.required("DATASET_URI"),
            code_version=settings.required("CODE_VERSION"),
            latency_budget_ms=settings.number("LATENCY_BUDGET_MS", 100, least=0.001),
        )


def main() -> None:
    """Turn the channel ``dataset`` into a model; the holdout in that channel is never opened."""
    chosen, origin = Hyperparameters.parse(job.hyperparameters()), _Origin.from_environment()
    folder = job.channel("dataset")
    dataset = Dataset.read(folder)
    features, labels = _arrays(folder, dataset, "train")
    _refuse_empty_columns(features, dataset)
    pipeline = algorithms.fit(chosen, features, labels)
    validation, expected = _arrays(folder, dataset, "validation")
    path = job.base_dir() / "output" / MODEL_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx_export.export(pipeline, path, width=len(dataset.features))
    model = onnx_export.OnnxModel(path)
    onnx_export.verify(model, pipeline, validation)
    _log.info("model proved", extra={"validation_accuracy": float(np.mean(model.answer(validation)[0] == expected))})
    _write(path, _manifest(origin, path, dataset, chosen, model, validation))


def _arrays(folder: Path, dataset: Dataset, split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    table = read_split(folder, dataset, split)
    features = np.frombuffer(table.features, dtype=np.float64).reshape(len(table), len(dataset.features))
    return features.astype(np.float32), np.frombuffer(table.labels, dtype=np.int64)


def _refuse_empty_columns(features: NDArray[np.float32], dataset: Dataset) -> None:
    for place, name in enumerate(dataset.features):
        if np.isnan(features[:, place]).all():
            raise DatasetError(f"the column {name!r} must have at least one number in the train split, got none")


def _manifest(
    origin: _Origin,
    path: Path,
    dataset: Dataset,
    chosen: Hyperparameters,
    model: onnx_export.OnnxModel,
    rows: NDArray[np.float32],
) -> Manifest:
    width, classes = len(dataset.features), len(dataset.classes)
    return Manifest(
        model_name=origin.model_name,
        run_id=origin.run_id,
        dataset_version=dataset.version,
        dataset_uri=origin.dataset_uri,
        code_version=origin.code_version,
        algorithm=chosen.described(),
        files=(ModelFile(precision="fp32", path=path.name, opset=onnx_export.OPSET, sha256=sha256_of(path)),),
        inputs=(Tensor(name=onnx_export.INPUT, dtype="float32", shape=("batch", width), columns=dataset.features),),
        outputs=(
            Tensor(name=onnx_export.LABEL, dtype="int64", shape=("batch",)),
            Tensor(name=onnx_export.PROBABILITIES, dtype="float32", shape=("batch", classes), columns=dataset.classes),
        ),
        content_types=CONTENT_TYPES,
        preprocessing=algorithms.PREPROCESSING[chosen.algorithm],
        labels=dataset.classes,
        golden_requests=golden_requests(model, rows),
        latency_budget_ms=origin.latency_budget_ms,
    )


def _write(path: Path, manifest: Manifest) -> None:
    folder = job.model_dir()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(path.read_bytes())
    path.unlink()
    (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    _log.info("model written", extra={"bytes": (folder / MODEL_FILE).stat().st_size, "algorithm": manifest.algorithm})
