"""Which answers pass a golden request?"""

from typing import Any

import pytest

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, ManifestError

GOLDEN = GoldenRequest(
    name="g",
    inputs={"features": [[1.0]]},
    outputs={"label": [1], "probabilities": [[0.25, 0.75]]},
    absolute_tolerance=0.01,
    relative_tolerance=0.0,
)


def answer(**outputs: object) -> dict[str, Any]:
    return {"outputs": {"label": [1], "probabilities": [[0.25, 0.75]], **outputs}}


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(answer(), id="the same"),
        pytest.param(answer(probabilities=[[0.259, 0.741]]), id="within the tolerance"),
        pytest.param(answer(extra=[1]), id="more than was asked for"),
        pytest.param(answer() | {"labels": ["yes"]}, id="names beside"),
    ],
)
def test_an_answer_within_the_tolerance_has_no_problem(came: object) -> None:
    assert GOLDEN.check(came) == []


@pytest.mark.parametrize(
    ("came", "problem"),
    [
        (answer(label=[0]), "g: label[0] must be 1, got 0"),
        (answer(label=[True]), "g: label[0] must be 1, got True"),
        (answer(label=[1, 1]), "g: label must be a list of 1, got a list of 2"),
        (answer(label=1), "g: label must be a list of 1, got 1"),
        (answer(probabilities=[[0.27, 0.75]]), "g: probabilities[0][0] must be 0.25, got 0.27"),
        (answer(probabilities=[[float("nan"), 0.75]]), "g: probabilities[0][0] must be 0.25, got nan"),
        (answer(probabilities=[["0.25", 0.75]]), "g: probabilities[0][0] must be 0.25, got '0.25'"),
        ({"outputs": {"label": [1]}}, "g: the answer must have the output probabilities, got label"),
        ({"error": "no"}, "g: the answer must have outputs by name, got \"{'error': 'no'}\""),
        (None, "g: the answer must have outputs by name, got 'None'"),
    ],
)
def test_any_other_answer_is_a_problem(came: object, problem: str) -> None:
    assert GOLDEN.check(came) == [problem]


def test_many_differences_are_told_as_a_few() -> None:
    golden = GoldenRequest(name="g", inputs={"x": [1]}, outputs={"y": [0.0] * 20})

    problems = golden.check({"outputs": {"y": [1.0] * 20}})

    assert len(problems) == 6
    assert problems[-1] == "g: and 15 more differences"


def test_a_request_that_tolerates_anything_is_refused() -> None:
    with pytest.raises(
        ManifestError, match="a tolerance of the golden request g must be a number of at least 0, got inf"
    ):
        GoldenRequest(name="g", inputs={"x": 1}, outputs={"y": 1}, absolute_tolerance=float("inf"))


def test_the_body_is_what_the_container_reads() -> None:
    assert GOLDEN.body() == {"inputs": {"features": [[1.0]]}}
