"""The library as its users install it: the wheel, alone in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel with its pinned dependencies, and nothing else of ours."""
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    run([*uv, "venv", "--python", sys.executable, str(environment)])
    pins = folder / "pins.txt"
    export = ["export", "--frozen", "--no-dev", "--no-emit-project", "--extra", "cli", "--output-file", str(pins)]
    run([*uv, "--project", str(ROOT), *export])
    python = environment / "bin" / "python"
    run([*uv, "pip", "install", "--python", str(python), "--requirements", str(pins), str(wheel)])
    return python


def run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ, cwd=ROOT)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
