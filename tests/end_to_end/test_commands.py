"""What do the commands say when they cannot do what was asked? One sentence, and an exit code for machines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN_APP = """
from aws_cdk import App, Stack
from mlplatform_cdk.core import require_ml_instance

app = App()
require_ml_instance(Stack(app, "Serving"), "instance_type", "g5.xlarge")
"""
SENTENCE = "[Serving] instance_type must have the form 'ml.<family>.<size>', got 'g5.xlarge'; try 'ml.g5.xlarge'"


@pytest.fixture
def broken_app(tmp_path: Path) -> Path:
    (tmp_path / "cdk.json").write_text('{"app": "python app.py"}')
    (tmp_path / "app.py").write_text(BROKEN_APP)
    return tmp_path


def mlplatform(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "mlplatform"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_misspelt_environment_is_one_sentence_without_a_frame(tmp_path: Path) -> None:
    ended = mlplatform("synth", "-c", "environment=prd", "-o", str(tmp_path / "cdk.out"), folder=ROOT)

    assert ended.returncode == 2
    assert ended.stderr == "failed: the environment must be one of dev, staging, prod, got 'prd'\n"
    assert ended.stdout == ""


def test_a_demo_that_cannot_synthesize_fails_with_the_step_and_the_apps_own_sentence(broken_app: Path) -> None:
    ended = mlplatform("demo", folder=broken_app)

    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == f"failed: synthesize the app: {SENTENCE}"
    assert "✗ synthesize the app" in ended.stderr
    assert "jsii" not in ended.stderr


def test_a_demo_for_machines_says_the_same_as_json(broken_app: Path) -> None:
    ended = mlplatform("demo", "--json", folder=broken_app)

    report = json.loads(ended.stdout)
    assert (ended.returncode, report["succeeded"]) == (2, False)
    assert (report["failed_step"], report["reason"]) == ("synthesize the app", SENTENCE)


def test_a_demo_in_a_folder_without_an_app_says_where_to_go(tmp_path: Path) -> None:
    ended = mlplatform("demo", folder=tmp_path)

    assert ended.returncode == 2
    sentence = f"a CDK app has a cdk.json, found none in {tmp_path}; go to its folder"
    assert ended.stderr.splitlines()[-1] == f"failed: synthesize the app: {sentence}"


def test_what_does_not_run_cannot_be_brought_down(tmp_path: Path) -> None:
    ended = mlplatform("local", "down", "--state-dir", str(tmp_path / "state"), folder=tmp_path)

    assert ended.returncode == 2
    sentence = f"no embedded AWS runs in {tmp_path / 'state'}; start one with mlplatform local up"
    assert ended.stderr == f"failed: {sentence}\n"
