"""``mlplatform quantize`` as a user runs it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import read_folder
from tests.serving import small_models


def mlplatform(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from mlplatform_cdk.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_quantize_writes_the_model_and_says_what_it_did(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "model")
    np.savez(tmp_path / "data.npz", x=small_models.rows(32))

    ran = mlplatform(
        "quantize",
        model,
        "--calibration",
        tmp_path / "data.npz",
        "--precision",
        "fp16",
        "--report",
        tmp_path / "r.json",
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("small: ranges from 16 rows, accuracy on 16 others\n")
    assert "fp16 (cast): made, within the tolerance" in ran.stdout
    assert [one.precision for one in read_folder(tmp_path / "model.quantized").files] == ["fp32", "fp16"]
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["outcomes"][0]["made"] is True


@pytest.mark.parametrize("name", ["nothing", "bare.onnx"])
def test_what_is_no_model_is_one_sentence_and_exit_code_2(tmp_path: Path, name: str) -> None:
    (tmp_path / "bare.onnx").write_bytes(b"")

    ran = mlplatform("quantize", tmp_path / name, "--calibration", tmp_path / "data.npz")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("failed: the model must be a folder with manifest.json or a .tar.gz, got ")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("option", "place", "told"),
    [
        ("--output", "out.zip", "the output must be a .tar.gz or a folder, got "),
        ("--output", "no/out.tar.gz", "the output must be a file in a folder that exists, got "),
        ("--output", "model", "the output must lie outside the model and the data, got "),
        ("--output", "model/out", "the output must lie outside the model and the data, got "),
        ("--output", "model/..", "the output must not exist yet, got "),
        ("--report", "model.quantized", "the report must lie outside what is read and written, got "),
        ("--report", "no data", "the report must lie outside what is read and written, got "),
        ("--report", "model/manifest.json", "the report must lie outside what is read and written, got "),
        ("--report", "no/dir/r.json", "the report must be a file in a folder that exists, got "),
        ("--report", "model", "the report must be a file in a folder that exists, got "),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, option: str, place: str, told: str
) -> None:
    model = small_models.save(tmp_path / "model")

    ran = mlplatform("quantize", model, "--calibration", tmp_path / "no data", option, tmp_path / place)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"failed: {told}{tmp_path / place}")
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(("command", "more"), [("quantize", ["--calibration", "."]), ("tune", [])])
def test_what_happens_may_be_told_with_the_brackets_of_a_request_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, more: list[str]
) -> None:
    def telling(*_: object, progress: Callable[[str], None], **__: object) -> None:
        progress("the golden request row [/1] gets another label than in fp32")
        raise KnownError("that was all")

    monkeypatch.setattr(f"mlplatform_cdk.serving.{command}.{command}", telling)

    ran = CliRunner().invoke(app, [command, str(tmp_path), *more])

    assert isinstance(ran.exception, CommandFailed)
    assert str(ran.exception) == "that was all"
