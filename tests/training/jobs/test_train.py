"""What leaves a training job, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnxruntime
import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, json_schema, read_folder
from tests.training.jobs import rehearsal
from tests.training.jobs.rehearsal import Finished, as_csv

Train = Callable[..., Finished]


def answers(folder: Path, manifest: Manifest, rows: Any) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(str(folder / manifest.file().path), providers=["CPUExecutionProvider"])
    names = [one.name for one in manifest.outputs]
    came = session.run(names, {"features": np.array(rows, dtype=np.float32)})
    return {"outputs": {name: array.tolist() for name, array in zip(names, came, strict=True)}}


def test_the_manifest_says_where_the_model_comes_from_and_fits_its_schema(good: Path) -> None:
    manifest = read_folder(good)

    jsonschema.validate(json.loads((good / "manifest.json").read_text(encoding="utf-8")), json_schema())
    assert (manifest.model_name, manifest.run_id, manifest.dataset_version) == ("cancer", "run-1", "v1")
    assert manifest.dataset_uri == rehearsal.TRAINING["DATASET_URI"]
    assert manifest.labels == ("benign", "malignant")
    assert manifest.inputs[0].columns == tuple(f"f{i}" for i in range(30))
    assert manifest.outputs[1].shape == ("batch", 2)
    assert manifest.metrics == {}


def test_the_golden_requests_hold_on_the_model_and_name_every_class(good: Path) -> None:
    manifest = read_folder(good)

    seen = set()
    for golden in manifest.golden_requests:
        assert golden.check(answers(good, manifest, golden.inputs["features"])) == []
        seen.update(golden.outputs["label"])
    assert seen == {0, 1}
    assert len(manifest.golden_requests[-1].inputs["features"]) > 1


def test_the_holdout_is_never_read_and_the_same_data_give_the_same_bytes(
    train: Train, good: Path, dataset: Path, tmp_path: Path
) -> None:
    blind = tmp_path / "blind"
    blind.mkdir()
    for name in ("train.csv", "validation.csv", "dataset.json"):
        (blind / name).write_bytes((dataset / name).read_bytes())

    again = train({}, blind).base / "model"

    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in good.iterdir()
    }


@pytest.mark.parametrize("algorithm", ["random-forest", "gradient-boosting", "logistic-regression"])
def test_several_classes_and_missing_values_work_in_every_algorithm(
    tree: Path, train: Train, tmp_path: Path, algorithm: str
) -> None:
    generator = np.random.default_rng(7)
    rows = []
    for index in range(400):
        group = index % 3
        values = [f"{value:.3f}" for value in generator.normal(group * 3, 1, size=4)]
        values[index % 4] = "" if index % 5 == 0 else values[index % 4]
        rows.append([*values, ("setosa", "versicolor", "virginica")[group]])
    source = rehearsal.preprocess(tree, tmp_path / "p", {"a.csv": as_csv(["a", "b", "c", "d", "label"], rows)})

    ended = train({"algorithm": algorithm, "seed": "3"}, source.output("dataset"))

    assert ended.code == 0, ended.reason or ended.errors
    manifest = read_folder(ended.base / "model")
    assert manifest.labels == ("setosa", "versicolor", "virginica")
    assert manifest.algorithm["name"] == algorithm
    came = answers(ended.base / "model", manifest, [[6.0, None, 6.0, 6.0], [0.0, 0.0, None, 0.0]])["outputs"]
    assert came["label"] == [2, 0]
    assert [len(row) for row in came["probabilities"]] == [3, 3]


@pytest.mark.parametrize(
    ("hyperparameters", "sentence"),
    [
        pytest.param(
            {"algorithm": "magic"},
            "the hyperparameter algorithm must be one of logistic-regression, random-forest, gradient-boosting, "
            "got 'magic'",
            id="an unknown algorithm",
        ),
        pytest.param(
            {"algorithm": "random-forest", "n_trees": "5"},
            "the hyperparameters of random-forest must be among algorithm, n_estimators, max_depth, "
            "min_samples_leaf, seed, got n_trees",
            id="a misspelt name",
        ),
        pytest.param(
            {"C": "-1"}, "the hyperparameter C must be a number of at least 1e-12, got '-1'", id="a number too small"
        ),
        pytest.param(
            {"max_iter": "1.5"},
            "the hyperparameter max_iter must be a whole number of at least 1, got '1.5'",
            id="half a round",
        ),
        pytest.param(
            {"C": "nan"}, "the hyperparameter C must be a number of at least 1e-12, got 'nan'", id="no number"
        ),
    ],
)
def test_a_hyperparameter_that_means_nothing_is_told_in_one_sentence(
    train: Train, hyperparameters: dict[str, str], sentence: str
) -> None:
    ended = train(hyperparameters)

    assert (ended.code, ended.reason) == (1, sentence)
    assert (ended.base / "output" / "failure").exists()
    assert not (ended.base / "model").exists()


def test_names_that_sagemaker_adds_to_the_hyperparameters_are_left_alone(train: Train) -> None:
    ended = train({"sagemaker_program": "x", "_tuning_objective_metric": "auc", "C": "x"})

    assert ended.reason == "the hyperparameter C must be a number of at least 1e-12, got 'x'"


def test_a_missing_setting_is_named(train: Train) -> None:
    ended = train({}, MODEL_NAME="")

    assert ended.reason == "the environment variable MODEL_NAME must be set, got nothing"


def test_a_column_without_any_number_is_named(tree: Path, train: Train, tmp_path: Path) -> None:
    rows = [[i, "", "yes" if i % 2 else "no"] for i in range(200)]
    source = rehearsal.preprocess(tree, tmp_path / "p", {"a.csv": as_csv(["a", "b", "label"], rows)})

    ended = train({}, source.output("dataset"))

    assert ended.reason == "the column 'b' must have at least one number in the train split, got none"


def test_a_folder_that_is_no_dataset_is_named(train: Train, tmp_path: Path) -> None:
    ended = train({}, tmp_path)

    assert ended.reason == "the dataset must hold dataset.json, got a folder without it; run preprocess first"
