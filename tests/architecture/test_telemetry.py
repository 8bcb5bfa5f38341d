"""Does a model ever run here in a runtime that reports to its maker?"""

import os
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
IMPORTS = re.compile(r"^\s*(?:import|from) onnxruntime\b", re.MULTILINE)
# Each module as if it were the first of ours that a program imports.
FIRST_OF_OURS = """
import importlib, os, sys
for name in sys.argv[1:]:
    os.environ.pop("ORT_DISABLE_TELEMETRY", None)
    for one in [one for one in sys.modules if one.partition(".")[0] == "mlplatform_cdk"]:
        del sys.modules[one]
    importlib.import_module(name)
    print(name, os.environ.get("ORT_DISABLE_TELEMETRY"), "onnxruntime" in sys.modules)
"""


def named(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def test_whoever_runs_a_model_has_told_the_runtime_to_report_to_nobody_before_importing_it() -> None:
    users = sorted(named(path) for path in SOURCE.rglob("*.py") if IMPORTS.search(path.read_text(encoding="utf-8")))
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    asked = subprocess.run(
        [sys.executable, "-c", FIRST_OF_OURS, *users], env=environment, capture_output=True, text=True, check=True
    )

    assert len(users) > 4
    assert asked.stdout.splitlines() == [f"{name} 1 False" for name in users]


def test_who_wants_the_reports_may_have_them() -> None:
    program = "import os, mlplatform_cdk.runtimekit; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}

    asked = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert asked.stdout == "0\n"
