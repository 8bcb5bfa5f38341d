"""What did quantization cost?"""

from pathlib import Path

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from mlplatform_cdk.serving.quantize.accuracy import compare, error
from tests.serving import small_models

BEFORE = {"label": np.array([0, 1, 2, 0]), "probabilities": np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]}
AFTER = {"label": np.array([0, 1, 2, 1]), "probabilities": np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return read_folder(small_models.save(tmp_path))


def test_with_labels_the_cost_is_the_accuracy_lost_and_may_be_a_gain(manifest: Manifest) -> None:
    lost = compare(BEFORE, AFTER, np.array([0, 1, 2, 0]), manifest)
    gained = compare(BEFORE, AFTER, np.array([0, 1, 2, 1]), manifest)

    assert (lost.measure, lost.cost) == ("accuracy", 0.25)
    assert gained.cost == -0.25


def test_without_labels_it_is_the_share_of_answers_that_changed(manifest: Manifest) -> None:
    accuracy = compare(BEFORE, AFTER, None, manifest)

    assert (accuracy.measure, accuracy.cost) == ("disagreement", 0.25)
    assert accuracy.metrics["largest_difference"] == 1.0


def test_numbers_are_compared_by_their_spread(tmp_path: Path) -> None:
    regressor = read_folder(small_models.save(tmp_path, labels=()))
    values = np.array([[1.0], [3.0]], np.float32)

    accuracy = compare({"y": values}, {"y": values + np.float32(0.1)}, None, regressor)

    assert accuracy.measure == "error"
    assert accuracy.cost == pytest.approx(0.1, abs=1e-6)


def test_what_does_not_vary_is_compared_by_its_size() -> None:
    always = np.full((8, 1), 0.37)
    nothing = np.zeros((8, 1))

    assert error([always], [always * 1.02]) == pytest.approx(0.02)
    assert error([nothing], [nothing + 0.02]) == pytest.approx(0.02)


def test_no_number_in_any_output_is_no_number_as_cost(tmp_path: Path) -> None:
    regressor = read_folder(small_models.save(tmp_path, labels=()))
    values = np.array([[1.0], [3.0]], np.float32)

    accuracy = compare({"y": values, "z": values}, {"y": values, "z": values * np.nan}, None, regressor)

    assert np.isnan([accuracy.cost, accuracy.metrics["largest_difference"]]).all()
