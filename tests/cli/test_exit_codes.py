"""Can CI tell a gate that is closed from a run that failed? Of the command itself, as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform_cdk.cli import console
from tests.assembly.diff.stacks import resource, template, write

BUCKET = resource("AWS::S3::Bucket", {"BucketName": "b"})


def mlplatform(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mlplatform")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "broken.out"
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    return folder


def test_a_closed_gate_of_diff_is_1_and_an_open_one_0(tmp_path: Path) -> None:
    base, head = write(tmp_path / "base", Data=template(X=BUCKET)), write(tmp_path / "head", Data=template())

    assert mlplatform("diff", base, head, "--fail-on", "danger").returncode == 1
    assert mlplatform("diff", base, base, "--fail-on", "any").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("diff", "{0}", "{0}"), ("check", "{0}"), ("cost", "{0}")],
    ids=["diff", "check", "cost"],
)
def test_an_assembly_that_cannot_be_read_is_2(broken: Path, arguments: tuple[str, ...]) -> None:
    ended = mlplatform(*(argument.format(broken) for argument in arguments))

    assert (ended.returncode, ended.stderr.startswith("failed: ")) == (2, True), ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("diff", "{0}", "{0}", "--acknowledgements", "{0}/absent.yaml"),
        ("diff", "{0}", "{0}", "--fail-on", "unheard-of"),
        ("check", "{0}", "--acknowledgements", "{0}/absent.yaml"),
        ("cost", "{0}", "--usage", "{0}/absent.yaml"),
        ("cost", "{0}", "--pair", "a=b"),
    ],
)
def test_a_file_or_an_option_that_is_wrong_is_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    folder = write(tmp_path / "good", Data=template(X=BUCKET))

    assert mlplatform(*(argument.format(folder) for argument in arguments)).returncode == 2


def test_a_bug_keeps_its_traceback_and_is_no_closed_gate(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, console.failures():
        raise KeyError("a bug")

    assert ended.value.code == 2
    assert "KeyError: 'a bug'" in capsys.readouterr().err
