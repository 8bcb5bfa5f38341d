"""Does the job image start the step that it is told, and end when it is told to?"""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.jobs import rehearsal


@pytest.mark.parametrize("arguments", [[], ["predict"], ["train", "twice"]])
def test_an_argument_that_names_no_step_is_told_in_one_sentence(
    tree: Path, tmp_path: Path, arguments: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mlplatform_cdk.training.container", *arguments],
        env=rehearsal.child_environment(tree, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    came = " ".join(arguments) or "none"
    assert ended.stderr == f"the job needs one argument, any of preprocess, train, evaluate, quantize, got {came}\n"


def test_a_stopped_job_says_that_it_was_stopped(tree: Path, tmp_path: Path) -> None:
    import os

    raw = tmp_path / "processing" / "input" / "raw"
    raw.mkdir(parents=True)
    rows = ((i, "yes" if i % 3 else "no") for i in range(1_000_000))
    (raw / "big.csv").write_text(rehearsal.as_csv(["a", "label"], rows), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "mlplatform_cdk.training.container", "preprocess"],
        env=rehearsal.child_environment(tree, tmp_path)
        | {"LABEL_COLUMN": "label", "RUN_ID": "r", "DATASET_VERSION": "v"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()

    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 1
    reason = (tmp_path / "output" / "message").read_text(encoding="utf-8")
    assert reason == "the job was stopped before it had finished"


def test_a_step_imports_no_library_that_only_another_needs(tree: Path, tmp_path: Path, dataset: Path) -> None:
    """What a job starts with decides how long a short one takes."""
    program = (
        "import sys; from mlplatform_cdk.training.{0}.runtime import main; "
        "print(*sorted({{'sklearn', 'onnxruntime', 'numpy', 'boto3', 'aws_cdk'}} & set(sys.modules)))"
    )
    loaded = {}
    for step in ("preprocess", "train", "evaluate"):
        ended = subprocess.run(
            [sys.executable, "-c", program.format(step)],
            env=rehearsal.child_environment(tree, tmp_path),
            cwd=tree,
            capture_output=True,
            text=True,
            check=True,
        )
        loaded[step] = ended.stdout.split()

    assert loaded == {"preprocess": [], "train": ["numpy"], "evaluate": ["numpy"]}
