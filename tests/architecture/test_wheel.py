"""Does the installed wheel do what the checkout does?"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.synthesize import node_environment


def synthesize_with(python: Path, app: Path, output: Path) -> dict[str, Any]:
    """The assets of the one stack that ``app`` makes, synthesized by another interpreter far from the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    result = subprocess.run(
        [str(python), "-I", str(app)],
        env=environment | node_environment() | {"CDK_OUTDIR": str(output), "CDK_VALIDATION": "false"},
        cwd=app.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    (manifest,) = output.glob("*.assets.json")
    assets: dict[str, Any] = json.loads(manifest.read_text())
    return assets


@pytest.fixture(scope="module")
def app_outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = tmp_path_factory.mktemp("outside") / "app.py"
    app.write_text((Path(__file__).parents[2] / "examples" / "churn.py").read_text())
    return app


def test_an_app_outside_the_checkout_synthesizes_with_only_the_wheel_and_the_same_asset_hashes(
    wheel_python: Path, app_outside: Path, tmp_path: Path
) -> None:
    from_wheel = synthesize_with(wheel_python, app_outside, tmp_path / "wheel")
    from_checkout = synthesize_with(Path(sys.executable), app_outside, tmp_path / "checkout")

    def hashes(assets: dict[str, Any]) -> set[str]:
        # The template holds the hashes of all others, and is itself named by its hash.
        return {*assets["files"], *assets["dockerImages"]}

    assert len(hashes(from_wheel)) > 5
    assert hashes(from_wheel) == hashes(from_checkout)


def test_importing_the_library_starts_no_node(wheel_python: Path) -> None:
    code = "import sys, mlplatform_cdk, mlplatform_cdk.runtimekit.manifest; print('jsii' in sys.modules)"

    result = subprocess.run([str(wheel_python), "-I", "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "False"


def test_the_command_synthesizes_with_its_own_extra_alone_and_names_the_one_that_a_rehearsal_needs(
    wheel_python: Path, tmp_path: Path
) -> None:
    def mlplatform(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(wheel_python.with_name("mlplatform")), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert mlplatform("--help").returncode == 0
    assert mlplatform("synth").stderr.startswith("failed: a CDK app has a cdk.json, found none in ")
    for verb in (("demo",), ("local", "up", "--empty")):
        ended = mlplatform(*verb)
        assert ended.returncode == 2
        assert ended.stderr.endswith("which is not installed; run: pip install 'mlplatform-cdk[local]'\n")
        assert len(ended.stderr.splitlines()) == 1
