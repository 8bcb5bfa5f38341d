"""Is the image on arm64 what it is on x86-64? Built and run for real, emulated where the machine is another."""

import platform
from pathlib import Path

import pytest

from benchmarks.serving import models
from benchmarks.serving.oci import base, boxed, build, probe, tools

STORE = Path("/var/tmp/mlplatform-images/arm64")
EMULATOR = "qemu-aarch64 in the kernel's binfmt_misc with flag F (package qemu-user-static)"


@pytest.mark.only_where(not tools.missing("arm64"), "an image for arm64 needs root, its tools and an emulator")
def test_it_answers_the_models_golden_requests_as_nobody_and_ends_well(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)  # nobody may read it
    buildah = tools.Buildah(STORE, "arm64")
    base.make(buildah, STORE)
    built = build.build(buildah, tmp_path / "context")
    model = models.make("tabular", tmp_path / "models")
    try:
        with boxed.running(buildah, built, model, {"SAGEMAKER_BIND_TO_PORT": "0"}) as (process, started):
            report = probe.probe(process, pid=boxed.child_of(process), started=started, model=model)
    finally:
        build.discard(buildah, built)

    assert report.furthest <= 1e-6
    assert report.exit_code == 0
    assert report.status["Uid"].split() == ["10001"] * 4
    assert all(line.startswith("{") for line in report.log.splitlines()), report.log
    assert buildah("inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", build.IMAGE) == "arm64"


@pytest.mark.parametrize("flags", [None, "POC"])
def test_without_an_emulator_that_is_there_in_any_root_it_says_what_is_missing(
    flags: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(tools, "_EMULATORS", tmp_path)
    if flags:
        (tmp_path / "qemu-aarch64").write_text(f"enabled\ninterpreter /usr/bin/qemu\nflags: {flags}\noffset 0\n")

    assert tools.missing("arm64") == [*tools.missing(), EMULATOR]


def test_an_arm64_machine_needs_no_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(tools, "_EMULATORS", tmp_path)

    assert tools.missing("arm64") == tools.missing()
