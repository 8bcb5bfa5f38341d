"""Builds the serving image and runs it; prints what it weighs and how it behaves."""

import argparse
import json
import sys
import tempfile
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
    parser.add_argument("--arch", choices=list(tools.PROCESSORS), help="what to build for; default: this machine's own")
    chosen = parser.parse_args()
    lacking = tools.missing(chosen.arch)
    if lacking:
        raise SystemExit(f"a real build needs {', '.join(lacking)}, which this machine has not")
    store = chosen.store / (chosen.arch or "")
    buildah = tools.Buildah(store, chosen.arch)
    base.make(buildah, store)
    with tempfile.TemporaryDirectory() as folder:
        report = _run(buildah, Path(folder), models.make(chosen.model, Path(folder) / "models"), chosen.dockerfile)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _run(buildah: tools.Buildah, folder: Path, model: Path, dockerfile: str) -> dict[str, object]:
    folder.chmod(0o755)  # the server is another user
    built = build.build(buildah, folder / "context", dockerfile=dockerfile)
    try:
        with boxed.running(buildah, built, model, {"SAGEMAKER_BIND_TO_PORT": "0"}) as (process, started):
            found = probe.probe(process, pid=boxed.child_of(process), started=started, model=model)
        packages = built.root / "opt/packages"
        sizes = {one.name: built.size(f"opt/packages/{one.name}") for one in packages.iterdir()}
    finally:
        build.discard(buildah, built)
    seen = {
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
