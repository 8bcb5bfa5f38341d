"""What does the platform say to input that it cannot use? One sentence, everywhere it is looked for, and no model."""

import csv
import io
from pathlib import Path

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.synthesize import synthesize
from mlplatform_cdk.cli.demo.data import breast_cancer_csv
from mlplatform_cdk.cli.demo.executions import Executions
from mlplatform_cdk.cli.demo.report import ExecutionReport
from mlplatform_cdk.local import deploy
from tests.end_to_end.rehearsal import KEY, LABEL_COLUMN, Inbox, Rehearsal, packages_of

BAD_KEY = KEY.replace("patients", "zz-bad")


@pytest.fixture(scope="module")
def lines() -> dict[str, str]:
    """Of a good file, its header and a row, and of bad ones."""
    names, values = list(csv.reader(io.StringIO(breast_cancer_csv(LABEL_COLUMN))))[:2]
    header, row = ",".join(names), ",".join(values)
    return {
        "header": header,
        "row": row,
        "row_with_a_word": row.replace(values[0], "large", 1),
        "header_without_label": header.replace("diagnosis", "verdict"),
    }


def assert_refused(rehearsal: Rehearsal, run: ExecutionReport, step: str, sentence: str, before: list[str]) -> None:
    """The execution's end, the notification and the registry all say so."""
    assert (run.status, run.error, run.cause) == ("FAILED", step, sentence)
    message = rehearsal.inbox.about(run.name)
    assert message["Subject"] == "Retraining of breast-cancer failed"
    assert message["Message"].startswith(f"Run {run.name} of breast-cancer failed at {step}: {sentence} (execution ")
    assert rehearsal.packages() == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "",
            "zz-bad.csv must start with a header that names its columns, got an empty file or line",
            id="an empty file",
        ),
        pytest.param(
            "{header}\n", "zz-bad.csv must have at least one row below its header, got none", id="a header alone"
        ),
        pytest.param(
            "{header}\n{row}\n{row},1.0\n",
            "zz-bad.csv line 3 must have 31 values, as the header has, got 32",
            id="a row with a value too many",
        ),
        pytest.param(
            "{header}\n{row_with_a_word}\n",
            "zz-bad.csv line 2 must have a number in the column 'mean_radius', got 'large'; "
            "encode categories as numbers before they reach the lake",
            id="text where a number belongs",
        ),
        pytest.param(
            "{header_without_label}\n{row}\n",
            "zz-bad.csv must have the label column 'diagnosis', "
            "got mean_radius, mean_texture, mean_perimeter, mean_area, mean_smoothness and 26 more",
            id="no label",
        ),
    ],
)
def test_a_file_that_nobody_can_learn_from_fails_its_run_at_the_gate(
    rehearsal: Rehearsal, lines: dict[str, str], text: str, sentence: str
) -> None:
    before = rehearsal.packages()

    with rehearsal.in_the_lake(BAD_KEY, text.format(**lines)) as run:
        assert_refused(rehearsal, run, "QualityGate", sentence, before)


def test_a_start_without_data_fails_at_the_gate(rehearsal: Rehearsal) -> None:
    before = rehearsal.packages()
    nowhere = f"s3://{rehearsal.platform.parameter('data/lake-bucket')}/raw/breast-cancer/nowhere/"

    run = rehearsal.retrain("without-data", {"dataset_uri": nowhere})

    sentence = f"the data set must hold at least one .csv file under {nowhere}, got nothing"
    assert_refused(rehearsal, run, "QualityGate", sentence, before)


def test_an_unknown_hyperparameter_fails_the_training_that_it_was_meant_for(rehearsal: Rehearsal) -> None:
    before = rehearsal.packages()

    run = rehearsal.retrain("unknown-hyperparameter", {"hyperparameters": {"gamma": "1"}})

    sentence = "the hyperparameters of logistic-regression must be among algorithm, C, max_iter, seed, got gamma"
    assert_refused(rehearsal, run, "Train", sentence, before)


def test_a_request_with_a_misspelt_member_fails_before_any_work(rehearsal: Rehearsal) -> None:
    before = rehearsal.packages()

    run = rehearsal.retrain("misspelt-request", {"hyperparameter": {"C": "1"}})

    sentence = "the execution's input must have only dataset_uri and hyperparameters, got hyperparameter"
    assert_refused(rehearsal, run, "ReadRequest", sentence, before)


def test_a_model_of_ones_own_image_without_a_manifest_is_refused_by_name(rehearsal: Rehearsal, tmp_path: Path) -> None:
    app = Path(__file__).parent / "own_image"
    assembly = read(synthesize(app, tmp_path / "cdk.out", validate=False))
    (stack,) = deploy.deploy(assembly, rehearsal.settings).stacks
    lake, topic = stack.outputs["Lake"], stack.outputs["Topic"]
    inbox = Inbox(rehearsal.client, topic)
    pipeline = Executions(rehearsal.client("stepfunctions"), stack.outputs["Pipeline"], "own image")

    rehearsal.client("s3").put_object(
        Bucket=lake, Key="raw/own/patients.csv", Body=breast_cancer_csv(LABEL_COLUMN).encode()
    )
    run = pipeline.follow(pipeline.next_after(set(), 60), 60, lambda _state: None)

    sentence = (
        "the model archive model.tar.gz must hold manifest.json, got coin.json; "
        "train it with the platform's training step"
    )
    assert (run.status, run.error, run.cause) == ("FAILED", "Evaluate", sentence)
    assert sentence in inbox.about(run.name)["Message"]
    assert packages_of(rehearsal.client("sagemaker"), stack.outputs["Models"]) == []
