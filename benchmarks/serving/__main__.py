"""The serving benchmark: ``python -m benchmarks.serving``; about twenty minutes, five with ``--quick``.

It wants a quiet machine with two cores or more; servers and load generator share it.
"""

import argparse
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.serving import report, wrk
from benchmarks.serving.forms import CORES
from benchmarks.serving.suite import FULL, QUICK, Suite, named

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks-serving.md"


def main() -> None:
    """Measure, write JSON and Markdown, print the Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help="start-up, tabular, formats, image, transformer, overload; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean little")
    parser.add_argument("--models", type=Path, default=ROOT / ".tools" / "models", help="the models; made if not there")
    parser.add_argument(
        "--output", type=Path, default=ROOT / ".tools" / "serving-benchmark", help="folder of the results"
    )
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    told = parser.parse_args()
    told.output.mkdir(parents=True, exist_ok=True)
    if wrk.found() is None:
        sys.stderr.write(
            "wrk is not installed: our own generator in Python stands in for it, and takes most of a core\n"
        )
    suite = Suite(told.models, QUICK if told.quick else FULL)
    found: dict[str, object] = {"machine": _machine(), "quick": told.quick}
    for name, work in named(told.parts, suite):
        began = time.perf_counter()
        found[name] = work()
        sys.stderr.write(f"{name}: {time.perf_counter() - began:.0f} s\n")
        (told.output / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = report.markdown(found)
    (told.output / "results.md").write_text(text, encoding="utf-8")
    if told.write:
        PAGE.write_text(report.into(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    sys.stdout.write(text)


def _machine() -> dict[str, object]:
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "cores": CORES,
        "system": platform.system(),
        "python": platform.python_version(),
        "onnxruntime": version("onnxruntime"),
        "closed loop": "wrk" if wrk.found() else "our own generator in Python, since wrk is not installed",
    }


if __name__ == "__main__":
    main()
