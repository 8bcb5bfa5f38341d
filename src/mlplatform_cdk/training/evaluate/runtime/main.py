"""The step: measure the new model and production on the same holdout, and say whether the new one may be registered."""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.runtimekit.dataset import Dataset, read_split
from mlplatform_cdk.runtimekit.job import JobError
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME
from mlplatform_cdk.training.evaluate.runtime.candidate import Candidate, as_json
from mlplatform_cdk.training.evaluate.runtime.rules import Rules

_log = logs.logger("evaluate")


def main() -> None:
    """Judge the model of the input ``model`` and write the verdict to the output ``evaluation``."""
    rules = Rules.from_environment()
    archive = job.required_archive("model")
    with tempfile.TemporaryDirectory() as folder:
        _judge(rules, Candidate.load(archive, Path(folder, "model")), _production(Path(folder, "production")))


def _production(folder: Path) -> Candidate | None:
    archive = job.optional_archive("production")
    return Candidate.load(archive, folder) if archive else None


def _judge(rules: Rules, model: Candidate, production: Candidate | None) -> None:
    folder = job.processing_input("dataset")
    dataset = Dataset.read(folder)
    features, expected = _holdout(folder, dataset)
    objection = model.objection(dataset)
    if objection:
        raise JobError(f"the model must fit the dataset that it is measured on, but {objection}")
    metrics = model.metrics(features, expected, dataset)
    aside = production.objection(dataset) if production else None
    theirs = production.metrics(features, expected, dataset) if production and not aside else None
    reasons = [*model.golden_problems(), *rules.reasons_against(metrics, theirs)]
    notes = [f"the model in production was not compared, since {aside}"] if aside else []
    manifest = model.manifest.with_metrics(metrics).to_json()
    verdict = {
        "run_id": settings.required("RUN_ID"),
        "accepted": not reasons,
        "reasons": reasons,
        "notes": notes,
        "metrics": metrics,
        "production": {"run_id": production.manifest.run_id, "metrics": theirs} if production and theirs else None,
        "holdout_rows": len(expected),
        "golden_requests": len(model.manifest.golden_requests),
        "model_data_sha256": model.sha256,
        "manifest_sha256": hashlib.sha256(manifest.encode()).hexdigest(),
    }
    output = job.processing_output("evaluation")
    (output / MANIFEST_NAME).write_text(manifest, encoding="utf-8")
    (output / "evaluation.json").write_text(as_json(verdict), encoding="utf-8")
    _log.info("model accepted" if not reasons else "model refused", extra={"metrics": metrics, "reasons": reasons})


def _holdout(folder: Path, dataset: Dataset) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    table = read_split(folder, dataset, "holdout")
    expected = np.frombuffer(table.labels, dtype=np.int64)
    if len(np.unique(expected)) != len(dataset.classes):
        raise JobError(
            f"the holdout must have every class of {dataset.label!r}, got {len(np.unique(expected))} of them"
        )
    features = np.frombuffer(table.features, dtype=np.float64).reshape(len(table), len(dataset.features))
    return features.astype(np.float32), expected
