"""Builds the serving image and runs it; prints what it weighs and how it behaves."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.serving import models
from benchmarks.serving.oci import base, boxed, build, probe, tools

_STORE = Path("/var/tmp/mlplatform-images")  # noqa: S108 - on a disk, which overlay needs, and kept for the next build


def main() -> None:
    """Build, run, report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.oci", description=__doc__)
    parser.add_argument("--store", type=Path, default=_STORE, help="where images and their base are kept")
    parser.add_argument("--model", default="tabular", choices=list(models.RECIPES))
    parser.add_argument("--dockerfile", default="Dockerfile")
    parser.add_argument("--release", help="Debian's release to build on, such as trixie; default: this machine's own")
    parser.add_argument("--openvino", action="store_true", help="with the second CPU engine, which then computes")
    parser.add_argument("--arch", choices=list(tools.PROCESSORS), help="what to build for; default: this machine's own")
    chosen = parser.parse_args()
    lacking = tools.missing(chosen.arch)
    if lacking:
        raise SystemExit(f"a real build needs {', '.join(lacking)}, which this machine has not")
    store = chosen.store / (chosen.release or "") / (chosen.arch or "")
    buildah = tools.Buildah(store, chosen.arch)
    base.make(buildah, store, chosen.release)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server is another user
        model = models.make(chosen.model, folder / "models")
        requirements = "requirements-openvino.txt" if chosen.openvino else None
        built = build.build(buildah, folder / "context", dockerfile=chosen.dockerfile, requirements=requirements)
        try:
            report = _run(buildah, built, model, {"ENGINE": "openvino"} if chosen.openvino else {})
        finally:
            build.discard(buildah, built)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _run(buildah: tools.Buildah, built: build.Built, model: Path, settings: Mapping[str, str]) -> dict[str, object]:
    with boxed.running(buildah, built, model, {"SAGEMAKER_BIND_TO_PORT": "0", **settings}) as (process, started):
        found = probe.probe(process, pid=boxed.child_of(process), started=started, model=model)
    packages = built.root / "opt/packages"
    sizes = {one.name: built.size(f"opt/packages/{one.name}") for one in packages.iterdir()}
    seen = {
        "Python": (built.root / "usr/bin/python3").readlink().name,
        "image MB": round(built.image_bytes / 1e6, 1),
        "packages MB": round(sum(sizes.values()) / 1e6, 1),
        "largest MB": {name: round(sizes[name] / 1e6, 1) for name in sorted(sizes, key=sizes.__getitem__)[:-6:-1]},
        "golden answers off by": found.furthest,
        "exit code": found.exit_code,
        "user": found.status["Uid"].split()[0],
        "capabilities": found.status["CapEff"],
        "log": found.log.splitlines(),
    }
    measured = {
        "first answer s": round(found.first_answer_s, 2),
        "resident MB": round(found.resident_bytes / 1e6, 1),
        "drained s": round(found.drained_s, 2),
    }
    return seen if buildah.emulated else measured | seen  # an emulator's times and memory tell nothing


if __name__ == "__main__":
    main()
