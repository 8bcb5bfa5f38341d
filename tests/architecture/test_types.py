"""Are the modules of CDK that mypy leaves out, for its time, truly of no use to us?"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_mypy_skips_of_cdk_is_used_nowhere() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    skipped = {
        module.removeprefix("aws_cdk.")
        for override in settings["overrides"]
        if override.get("follow_imports") == "skip"
        for module in override["module"]
        if module.startswith("aws_cdk.")
    }
    checked = [path for name in settings["files"] for path in (ROOT / name).rglob("*.py")]
    words = {word for path in [*checked, ROOT / "app.py"] for word in re.findall(r"\baws_[a-z0-9_]+", path.read_text())}

    assert skipped
    assert skipped & words == set()
