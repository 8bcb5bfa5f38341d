"""What may a run be asked to do?"""

import pytest

from mlplatform_cdk.training.request.runtime.request import Request, RequestError, read_request

OWN = "s3://lake/raw/churn/"
DEFAULTS = {"algorithm": "random-forest", "n_estimators": "100"}


def read(asked: object, run_id: str = "churn-1") -> Request:
    return read_request(run_id, asked, dataset_uri=OWN, hyperparameters=DEFAULTS)


def test_nothing_asked_means_the_pipelines_own() -> None:
    assert read({}) == Request(OWN, DEFAULTS)


def test_numbers_are_handed_over_as_the_texts_that_sagemaker_takes() -> None:
    asked = {"hyperparameters": {"n_estimators": 7, "seed": 1.5, "warm": True}}

    assert read(asked).hyperparameters == {
        "algorithm": "random-forest",
        "n_estimators": "7",
        "seed": "1.5",
        "warm": "true",
    }


def test_another_algorithm_does_not_inherit_hyperparameters_it_does_not_know() -> None:
    asked = {"hyperparameters": {"algorithm": "logistic-regression", "C": 0.1}}

    assert read(asked).hyperparameters == {"algorithm": "logistic-regression", "C": "0.1"}


def test_a_folder_of_the_data_set_may_be_trained_on_alone() -> None:
    assert read({"dataset_uri": f"{OWN}2026/"}).dataset_uri == f"{OWN}2026/"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ([1], r"input must be an object, got \[1\]"),
        ({"hyperparameter": {}}, "must have only dataset_uri and hyperparameters, got hyperparameter"),
        ({"hyperparameters": "C=1"}, 'hyperparameters must be an object, got "C=1"'),
        ({"hyperparameters": {"C": [1]}}, r"the hyperparameter C must be a text or a number .* got \[1\]"),
        ({"hyperparameters": {"C": None}}, "the hyperparameter C must be a text or a number .* got null"),
        ({"dataset_uri": "s3://other/raw/"}, "dataset_uri must be s3://lake/raw/churn/ or a folder under it"),
        ({"dataset_uri": f"{OWN}2026"}, "that ends with '/'"),
    ],
)
def test_what_cannot_be_done_gets_one_sentence(asked: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read(asked)


@pytest.mark.parametrize("run_id", ["a" * 38, "with_underscore", "-dash", "two words"])
def test_a_run_whose_jobs_could_not_carry_its_name_is_refused(run_id: str) -> None:
    with pytest.raises(RequestError, match="an execution's name must be 1 to 37 letters"):
        read({}, run_id)


def test_the_name_that_step_functions_makes_up_is_fine() -> None:
    assert read({}, "0b9f3c52-6f0e-4c55-9d6e-0a4f5f6d7c81")
