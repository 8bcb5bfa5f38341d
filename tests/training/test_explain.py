"""What are people told when a run fails?"""

import json

import pytest

from mlplatform_cdk.training.explain.runtime.explanation import explain
from mlplatform_cdk.training.explain.runtime.handler import handle

SENTENCE = "the holdout must have every class of 'left', got 1 of them"


@pytest.mark.parametrize(
    ("step", "caught", "expected"),
    [
        pytest.param(
            "QualityGate",
            {
                "Error": "DatasetError",
                "Cause": json.dumps({"errorMessage": SENTENCE, "errorType": "DatasetError", "stackTrace": ["x"]}),
            },
            SENTENCE,
            id="a function raised",
        ),
        pytest.param(
            "Evaluate",
            {
                "Error": "States.TaskFailed",
                "Cause": json.dumps(
                    {
                        "ProcessingJobName": "r-evaluate",
                        "ProcessingJobStatus": "Failed",
                        "ExitMessage": SENTENCE,
                        "FailureReason": "AlgorithmError: See job logs for more information",
                    }
                ),
            },
            SENTENCE,
            id="a processing job's exit message says more than its failure reason",
        ),
        pytest.param(
            "Train",
            {
                "Error": "States.TaskFailed",
                "Cause": json.dumps(
                    {"TrainingJobStatus": "Failed", "FailureReason": f"AlgorithmError: {SENTENCE}, exit code: 1"}
                ),
            },
            SENTENCE,
            id="a training job's failure reason wraps the sentence",
        ),
        pytest.param(
            "Train",
            {"Error": "States.TaskFailed", "Cause": '{"FailureReason": "CapacityError: no ml.p4d.24xlarge is free"}'},
            "CapacityError: no ml.p4d.24xlarge is free",
            id="SageMaker itself failed",
        ),
        pytest.param(
            "Train",
            {"Error": "States.TaskFailed", "Cause": '{"TrainingJobName": "r-train", "TrainingJobStatus": "Stopped"}'},
            "the job r-train was stopped and gave no reason; its log stream has the name of the job",
            id="somebody stopped the job",
        ),
        pytest.param(
            "Train",
            {"Error": "SageMaker.ResourceLimitExceededException", "Cause": "The account-level limit is 0 Instances"},
            "The account-level limit is 0 Instances",
            id="the call was refused in plain text",
        ),
        pytest.param(
            "Train",
            {"Error": "States.Timeout"},
            "Train must finish within its time limit, and did not",
            id="a time-out has no cause",
        ),
        pytest.param(
            "ReadVerdict", {"Error": "Odd", "Cause": ""}, "ReadVerdict failed with Odd and gave no reason", id="nothing"
        ),
        pytest.param(
            "ModelRefused",
            {"Error": "ModelRefused", "Cause": ["roc_auc must be at least 0.9", "golden request 1 differs"]},
            "roc_auc must be at least 0.9; golden request 1 differs",
            id="evaluation's reasons",
        ),
        pytest.param("Train", {"Cause": "two\n  lines"}, "two lines", id="one line"),
    ],
)
def test_a_failure_is_told_as_its_step_and_one_sentence(step: str, caught: dict[str, object], expected: str) -> None:
    explanation = explain({step: caught})

    assert (explanation.error, explanation.cause) == (step, expected)


def test_a_long_story_is_cut_so_that_the_execution_can_still_end_with_it() -> None:
    assert len(explain({"Train": {"Cause": "x" * 40_000}}).cause) == 2000


def test_the_answer_has_the_shape_that_a_fail_state_reads() -> None:
    answer = handle({"run_id": "r", "failure": {"Train": {"Error": "E", "Cause": "because"}}}, None)

    assert answer == {"Error": "Train", "Cause": "because"}
