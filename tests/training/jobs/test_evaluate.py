"""Which models are let through, and what is told of the others?"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, unpack_all
from tests.training.jobs import rehearsal
from tests.training.jobs.rehearsal import Finished, pack


@pytest.fixture(scope="session")
def archive(good: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(good, tmp_path_factory.mktemp("good") / "model.tar.gz")


@pytest.fixture(scope="session")
def worse(train: Callable[..., Finished], tmp_path_factory: pytest.TempPathFactory) -> Path:
    ended = train({"algorithm": "random-forest", "n_estimators": "1", "max_depth": "1"})
    return pack(ended.base / "model", tmp_path_factory.mktemp("worse") / "model.tar.gz")


@pytest.fixture
def evaluate(tree: Path, dataset: Path, tmp_path: Path) -> Callable[..., Finished]:
    count = iter(range(100))

    def run(model: Path, production: Path | None = None, **environment: str) -> Finished:
        return rehearsal.evaluate(tree, tmp_path / f"e{next(count)}", dataset, model, production, **environment)

    return run


def verdict_of(ended: Finished) -> dict[str, Any]:
    assert ended.code == 0, ended.reason or ended.errors
    verdict: dict[str, Any] = json.loads((ended.output("evaluation") / "evaluation.json").read_text(encoding="utf-8"))
    return verdict


def altered(archive: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    import tarfile

    folder.mkdir()
    with tarfile.open(archive) as tar:
        unpack_all(tar, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return pack(folder, folder.parent / "altered.tar.gz")


def test_a_good_first_model_is_accepted_with_its_metrics_and_digests(
    evaluate: Callable[..., Finished], archive: Path, dataset: Path
) -> None:
    ended = evaluate(archive, MINIMUM_METRIC='{"roc_auc": 0.9, "log_loss": 0.5}')

    verdict = verdict_of(ended)
    written = (ended.output("evaluation") / "manifest.json").read_bytes()
    assert (verdict["accepted"], verdict["reasons"], verdict["production"]) == (True, [], None)
    assert verdict["metrics"]["roc_auc"] > 0.98
    assert verdict["holdout_rows"] == json.loads((dataset / "dataset.json").read_bytes())["rows"]["holdout"]
    assert verdict["model_data_sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert verdict["manifest_sha256"] == hashlib.sha256(written).hexdigest()
    assert Manifest.from_json(written).metrics == verdict["metrics"]


def test_a_model_below_a_minimum_or_worse_than_production_is_refused_with_reasons(
    evaluate: Callable[..., Finished], archive: Path, worse: Path
) -> None:
    verdict = verdict_of(evaluate(worse, archive, MINIMUM_METRIC='{"accuracy": 0.95, "log_loss": 0.1}'))

    ours, theirs = verdict["metrics"], f"{verdict['production']['metrics']['roc_auc']:.4f}"
    assert not verdict["accepted"]
    assert verdict["reasons"] == [
        f"accuracy must be at least 0.95, got {ours['accuracy']:.4f}",
        f"log_loss must be at most 0.1, got {ours['log_loss']:.4f}",
        f"roc_auc must not be worse than production's {theirs} by more than 0, got {ours['roc_auc']:.4f}",
    ]


def test_a_better_model_or_one_within_the_tolerance_is_accepted(
    evaluate: Callable[..., Finished], archive: Path, worse: Path
) -> None:
    assert verdict_of(evaluate(archive, worse))["accepted"]
    assert verdict_of(evaluate(archive, archive))["accepted"]
    assert verdict_of(evaluate(worse, archive, TOLERANCE="0.5"))["accepted"]
    assert not verdict_of(evaluate(worse, archive, COMPARE_BY="log_loss"))["accepted"]


def test_production_on_other_columns_is_set_aside_and_the_note_says_why(
    evaluate: Callable[..., Finished], archive: Path, tmp_path: Path
) -> None:
    def rename(manifest: dict[str, Any]) -> None:
        manifest["inputs"][0]["columns"][3] = "gone"

    verdict = verdict_of(evaluate(archive, altered(archive, tmp_path / "old", rename)))

    assert verdict["accepted"]
    assert verdict["production"] is None
    assert verdict["notes"] == [
        "the model in production was not compared, since it asks for the columns gone, which this dataset lacks"
    ]


def test_columns_and_classes_of_production_are_matched_by_name(
    evaluate: Callable[..., Finished], archive: Path, tmp_path: Path
) -> None:
    def swap(manifest: dict[str, Any]) -> None:
        manifest["labels"].reverse()

    verdict = verdict_of(evaluate(archive, altered(archive, tmp_path / "swapped", swap)))

    assert verdict["production"]["metrics"]["accuracy"] == pytest.approx(1 - verdict["metrics"]["accuracy"])


def test_a_model_that_fails_its_golden_requests_is_refused(
    evaluate: Callable[..., Finished], archive: Path, tmp_path: Path
) -> None:
    def falsify(manifest: dict[str, Any]) -> None:
        manifest["golden_requests"][0]["outputs"]["label"] = [7]

    verdict = verdict_of(evaluate(altered(archive, tmp_path / "false", falsify)))

    assert not verdict["accepted"]
    assert verdict["reasons"][0].startswith("row-1: label[0] must be 7, got ")


def test_an_archive_without_a_manifest_fails_the_job_in_one_sentence(
    evaluate: Callable[..., Finished], good: Path, tmp_path: Path
) -> None:
    ended = evaluate(pack(good, tmp_path / "bare.tar.gz", ["model.fp32.onnx"]))

    assert ended.code == 1
    assert ended.reason == (
        "the model archive model.tar.gz must hold manifest.json, got model.fp32.onnx; "
        "train it with the platform's training step"
    )
    assert not (ended.output("evaluation") / "evaluation.json").exists()


def test_an_archive_that_is_none_or_holds_another_model_is_told_apart(
    evaluate: Callable[..., Finished], archive: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(archive.read_bytes()[:200])
    other = altered(archive, tmp_path / "other", lambda manifest: manifest["files"][0].update(sha256="0" * 64))

    assert evaluate(broken).reason.startswith("the model archive model.tar.gz must be a readable tar file, got ")
    assert evaluate(other).reason == (
        "model.fp32.onnx must be the file that the manifest was written for, got another digest"
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"COMPARE_BY": "auc"},
            "COMPARE_BY must be one of accuracy, roc_auc, f1, log_loss, got 'auc'",
        ),
        (
            {"MINIMUM_METRIC": "0.9"},
            (
                "MINIMUM_METRIC must give numbers to any of accuracy, roc_auc, f1, log_loss, "
                'like {"roc_auc": 0.8}, got 0.9'
            ),
        ),
        (
            {"TOLERANCE": "-1"},
            "the environment variable TOLERANCE must be a number of at least 0, got '-1'",
        ),
    ],
)
def test_rules_that_mean_nothing_are_told_in_one_sentence(
    evaluate: Callable[..., Finished], archive: Path, environment: dict[str, str], sentence: str
) -> None:
    ended = evaluate(archive, **environment)

    assert (ended.code, ended.reason) == (1, sentence)
