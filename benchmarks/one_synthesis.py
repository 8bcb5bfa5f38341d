"""One synthesis in a process of its own: prints what it took, phase by phase, as JSON.

Called as ``python -m benchmarks.one_synthesis WORKLOAD OUTDIR [--calls]``; a workload is ``platform``, ``models:10``,
``regions:2`` or the path of a bare app's module. ``--calls`` counts the messages to Node, which takes time itself.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
Build = Callable[..., None]


def main(workload: str, outdir: str, *, count_calls: bool) -> None:
    """Import, build and write ``workload``."""
    started = time.perf_counter()
    import jsii._kernel.providers.process  # noqa: F401 -- Python's half of jsii, before the kernel starts

    begun = time.perf_counter()
    import aws_cdk

    ready = time.perf_counter()
    build = _load(workload)
    loaded = time.perf_counter()
    calls = None
    if count_calls:
        from benchmarks import jsii_calls

        calls = jsii_calls.Calls()
    app = aws_cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=outdir)
    build(app)
    built = time.perf_counter()
    app.synth()
    done = time.perf_counter()
    took: dict[str, Any] = {
        "import jsii": begun - started,
        "import aws_cdk": ready - begun,
        "import the app": loaded - ready,
        "constructs": built - loaded,
        "app.synth()": done - built,
        "all": done - started,
    }
    if calls is not None:
        took |= {"calls": calls.count.total(), "calls_s": sum(calls.seconds.values())}
        took["slowest"] = calls.slowest(30)
    print(json.dumps(took))  # noqa: T201 -- the answer


def _load(workload: str) -> Build:
    name, _, number = workload.partition(":")
    if Path(workload).suffix == ".py":
        sys.path.insert(0, str(Path(workload).parent))  # an import, since Python keeps bytecode of those alone
        bare: Build = importlib.import_module(Path(workload).stem).build
        return bare
    importlib.import_module("app")  # as the platform's own app is loaded, with the switch of Python that it sets
    from benchmarks import workloads

    return workloads.load(name, int(number or 1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], count_calls="--calls" in sys.argv[3:])
