"""Which changes of a model break those who call it today?"""

from dataclasses import replace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime.compatibility import breaking_changes
from mlplatform_cdk.runtimekit.manifest import ImagePreprocessing, Manifest, Tensor
from tests.release.manifests import FEATURES, LABEL, manifest

BLUE = manifest()
SCORE = Tensor(name="score", dtype="float32", shape=("batch", 2))
IMAGE = Tensor(
    name="image",
    dtype="float32",
    shape=("batch", 3, 8, 8),
    image=ImagePreprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
)


@pytest.mark.parametrize(
    "green",
    [
        pytest.param(BLUE, id="the same contract"),
        pytest.param(manifest(outputs=(LABEL, SCORE)), id="one more output"),
        pytest.param(manifest(labels=("stays", "leaves", "unsure")), id="one more label at the end"),
        pytest.param(manifest(content_types=("application/json", "text/csv", "x/y")), id="one more format"),
        pytest.param(manifest(inputs=(replace(FEATURES, shape=("rows", "any"), columns=()),)), id="a size set free"),
        pytest.param(manifest(outputs=(replace(LABEL, shape=(1,)),)), id="an output's size fixed"),
        pytest.param(manifest(inputs=(replace(FEATURES, columns=(), units=None),)), id="less said about an input"),
    ],
)
def test_callers_go_on_unchanged_with(green: Manifest) -> None:
    assert breaking_changes(BLUE, green) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"inputs": (FEATURES, SCORE)}, "the input score is new, and callers do not send it", id="new"),
        pytest.param({"inputs": (replace(FEATURES, dtype="float64"),)}, "was float32 and is float64", id="type"),
        pytest.param(
            {"inputs": (replace(FEATURES, shape=("batch", 3), columns=("age", "income", "city")),)},
            "the input features had the shape [batch, 2] and has [batch, 3]",
            id="one more column",
        ),
        pytest.param(
            {"inputs": (replace(FEATURES, shape=(1, 2)),)}, "had the shape [batch, 2] and has [1, 2]", id="fixed"
        ),
        pytest.param(
            {"inputs": (replace(FEATURES, columns=("income", "age")),)},
            "the input features had the columns age, income and has income, age",
            id="order of columns",
        ),
        pytest.param({"inputs": (replace(FEATURES, units="imperial"),)}, "was in SI and is in imperial", id="units"),
        pytest.param({"content_types": ("application/json",)}, "can no longer be asked in text/csv", id="format"),
        pytest.param({"outputs": (SCORE,)}, "the output label is gone, and callers may read it", id="output gone"),
        pytest.param(
            {"outputs": (replace(LABEL, dtype="string"),)}, "the output label was int64 and is string", id="out"
        ),
        pytest.param({"outputs": (replace(LABEL, shape=("batch", 1)),)}, "the output label had the shape", id="rank"),
        pytest.param(
            {"labels": ("leaves", "stays")}, "the labels were stays, leaves and are leaves, stays", id="labels"
        ),
    ],
)
def test_callers_break_by(changes: dict[str, Any], told: str) -> None:
    (problem,) = breaking_changes(BLUE, manifest(**changes))

    assert told in problem


def test_an_input_under_another_name_is_one_gone_and_one_new() -> None:
    problems = breaking_changes(BLUE, manifest(inputs=(replace(FEATURES, name="rows"),)))

    assert problems == [
        "the input features is gone, and callers send it",
        "the input rows is new, and callers do not send it",
    ]


def test_who_sends_pictures_must_be_able_to_go_on() -> None:
    numbers = manifest(inputs=(replace(IMAGE, image=None),))

    assert breaking_changes(manifest(inputs=(IMAGE,)), numbers) == [
        "the input image was asked in images and no longer is"
    ]
    assert breaking_changes(numbers, manifest(inputs=(IMAGE,))) == []
