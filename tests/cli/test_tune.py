"""``mlplatform tune`` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform_cdk.runtimekit.manifest import read_folder
from tests.serving import small_models


def mlplatform(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from mlplatform_cdk.cli import main; main()"
    environment = {**os.environ, "NVIDIA_VISIBLE_DEVICES": "none", "COLUMNS": "200"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_tune_prints_what_it_measured_and_writes_it_into_the_manifest(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "model")

    ran = mlplatform("tune", model, "--seconds", "0", "--report", tmp_path / "r.json")

    assert ran.returncode == 0, ran.stderr
    assert "the best engine" in ran.stdout
    assert 'manifest.serving of small: {"precision": "fp32", "engine": "onnxruntime"' in ran.stdout
    serving = read_folder(tmp_path / "model.tuned").serving
    assert serving
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["serving"]["engine"] == serving.engine


def test_what_is_no_model_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    ran = mlplatform("tune", tmp_path / "nothing")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("failed: the model must be a folder with manifest.json or a .tar.gz, got ")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--seconds", "-4", "the seconds must be a number of at least 0, got -4"),
        ("--seconds", "nan", "the seconds must be a number of at least 0, got nan"),
        ("--report", "no/dir/r.json", "the report must be a file in a folder that exists, got no/dir/r.json"),
        ("--output", "out.zip", "the output must be a .tar.gz or a folder, got out.zip"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(tmp_path: Path, option: str, value: str, told: str) -> None:
    ran = mlplatform("tune", tmp_path / "nothing", option, value)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"failed: {told}")
