"""Does the installed wheel write the same new app as the checkout?"""

import os
import subprocess
import sys
from pathlib import Path

from mlplatform_cdk.assembly.synthesize import node_environment


def init_with(python: Path, folder: Path) -> dict[str, str]:
    """The files of the app ``churn``, written by another interpreter's command far from the checkout."""
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    result = subprocess.run(
        [python.with_name("mlplatform"), "init", "churn"],
        cwd=folder,
        env=environment | node_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    app = folder / "churn"
    return {path.relative_to(app).as_posix(): path.read_text() for path in app.rglob("*") if path.is_file()}


def test_a_new_app_is_the_same_from_the_wheel_and_from_the_checkout(wheel_python: Path, tmp_path: Path) -> None:
    from_wheel = init_with(wheel_python, tmp_path / "wheel")
    from_checkout = init_with(Path(sys.executable), tmp_path / "checkout")

    assert sorted(from_wheel) == sorted(from_checkout)
    assert [path for path in from_wheel if from_wheel[path] != from_checkout[path]] == []
    assert {"app.py", "delivery.py", "stacks/model.py", "tests/snapshots/Data.json"} <= set(from_wheel)
