"""Does the image run as it is meant to: read-only, as nobody, without a shell?

Where root and the tools are, the Dockerfile is built and run for real. Everywhere else the very same file tree runs as
a process, as the embedded AWS runs it.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import models
from benchmarks.serving.oci import base, boxed, build, probe, tools
from mlplatform_cdk.local import images
from mlplatform_cdk.local.settings import Settings

STORE = Path("/var/tmp/mlplatform-images")
BUILDABLE = not tools.missing()
REQUIREMENTS = Path(build.SOURCE) / "serving/container/requirements.txt"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # nobody may read it
    return models.make("tabular", folder)


@contextmanager
def as_a_process(folder: Path, model: Path) -> Iterator[tuple[subprocess.Popen[str], float]]:
    context = build.context(folder / "context")
    dockerfile = f"{build.CONTAINER}/Dockerfile"
    tree = images.publish(context, "serving:test", settings=Settings(state_dir=folder / "state"), dockerfile=dockerfile)
    started = time.perf_counter()
    process = subprocess.Popen(
        tree.command_line(("serve",)),
        env={"PATH": os.defpath, "SAGEMAKER_BASE_DIR": str(model.parent), "SAGEMAKER_BIND_TO_PORT": "0"}
        | tree.environment,
        cwd=tree.workdir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, started
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tools.Buildah, build.Built] | None]:
    if not BUILDABLE:
        yield None
        return
    buildah = tools.Buildah(STORE)
    base.make(buildah, STORE)
    made = build.build(buildah, tmp_path_factory.mktemp("build") / "context")
    yield buildah, made
    build.discard(buildah, made)


@pytest.fixture(scope="module")
def report(
    built: tuple[tools.Buildah, build.Built] | None, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> probe.Report:
    if built is None:
        folder = tmp_path_factory.mktemp("process")
        (folder / "model").symlink_to(model)
        with as_a_process(folder, folder / "model") as (process, started):
            return probe.probe(process, pid=process.pid, started=started, model=model)
    with boxed.running(*built, model, {"SAGEMAKER_BIND_TO_PORT": "0"}) as (process, started):
        return probe.probe(process, pid=boxed.child_of(process), started=started, model=model)


def test_it_answers_the_models_golden_requests(report: probe.Report, model: Path) -> None:
    golden = json.loads((model / "manifest.json").read_text())["golden_requests"][0]

    assert report.answer["outputs"]["label"] == golden["outputs"]["label"]
    assert report.answer["outputs"]["probabilities"][0] == pytest.approx(
        golden["outputs"]["probabilities"][0], abs=1e-5
    )


def test_it_answers_what_it_accepted_and_ends_well_when_told_to_stop(report: probe.Report) -> None:
    assert report.exit_code == 0
    assert report.log.splitlines()[-1].startswith("{"), report.log


def test_it_says_nothing_but_its_log(report: probe.Report) -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in report.log.splitlines()]

    assert {line["level"] for line in lines} == {"INFO"}


def test_it_runs_as_nobody_with_no_right(report: probe.Report) -> None:
    if BUILDABLE:
        assert report.status["Uid"].split() == ["10001"] * 4
        assert report.status["NSpid"].split()[-1] == "1"
        assert int(report.status["CapEff"], 16) == 0
        assert report.status["NoNewPrivs"] == "1"
    else:
        text = REQUIREMENTS.with_name("Dockerfile").read_text()
        assert "ARG RUN_AS=10001:10001" in text
        assert "USER ${RUN_AS}" in text


@pytest.mark.only_where(BUILDABLE, "a container needs root and its tools; tests/serving/container has the process")
def test_started_by_root_as_sagemaker_does_it_serves_as_nobody(
    built: tuple[tools.Buildah, build.Built], model: Path
) -> None:
    with boxed.running(*built, model, {"SAGEMAKER_BIND_TO_PORT": "0"}, user="0:0") as (process, started):
        report = probe.probe(process, pid=boxed.child_of(process), started=started, model=model)

    first = json.loads(report.log.splitlines()[0])
    assert (first["uid"], "root_because" in first) == (10001, False)
    assert report.status["Uid"].split() == report.status["Gid"].split() == ["10001"] * 4
    assert report.status["Groups"].split() == []
    assert int(report.status["CapEff"], 16) == int(report.status["CapPrm"], 16) == 0
    assert report.exit_code == 0


@pytest.mark.only_where(BUILDABLE, "a container needs root and its tools")
def test_a_server_that_nobody_told_to_stop_ends_with_its_container(
    built: tuple[tools.Buildah, build.Built], model: Path
) -> None:
    with boxed.running(*built, model, {"SAGEMAKER_BIND_TO_PORT": "0"}) as (process, _):
        assert process.stdout
        assert process.stdout.readline()
        server = Path(f"/proc/{boxed.child_of(process)}")
        assert server.exists()

    assert not server.exists()


def test_its_packages_are_the_locks_in_less_than_170_megabytes_and_its_bill_of_materials_names_each(
    built: tuple[tools.Buildah, build.Built] | None,
) -> None:
    root = built[1].root if built else None
    path = root / "opt/sbom/serving.cdx.json" if root else REQUIREMENTS.with_name("sbom.cdx.json")
    named = {(item["name"], item["version"]) for item in json.loads(path.read_text())["components"]}
    pinned = {tuple(line.split(" ")[0].split("==")) for line in REQUIREMENTS.read_text().splitlines() if "==" in line}

    if built:
        found = {one.name.split("-")[0].lower() for one in (built[1].root / "opt/packages").glob("*.dist-info")}
        assert {name.replace("-", "_") for name, _ in named} == found
        assert named <= pinned
        assert built[1].size("opt/packages") <= 170e6
    else:
        assert named >= pinned
