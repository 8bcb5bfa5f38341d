"""What does a bill of materials say?"""

from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.serving.container import sbom

DOCUMENT: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "serialNumber": "urn:uuid:1",
    "metadata": {"timestamp": "2026-01-01T00:00:00Z", "component": {"bom-ref": "app@1", "name": "app"}},
    "components": [
        {"bom-ref": "one@1", "name": "Some.Thing", "version": "1.0"},
        {"bom-ref": "one@2", "name": "Some.Thing", "version": "2.0"},
        {"bom-ref": "two@1", "name": "other", "version": "1.0"},
    ],
    "dependencies": [{"ref": "app@1", "dependsOn": ["one@1", "two@1"]}, {"ref": "one@2"}],
}


def install(folder: Path, name: str, version: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_it_names_what_was_installed_and_nothing_else_of_the_lock(tmp_path: Path) -> None:
    install(tmp_path, "some_thing", "1.0")

    narrowed = sbom.installed(DOCUMENT, tmp_path)

    assert [item["bom-ref"] for item in narrowed["components"]] == ["one@1"]
    assert narrowed["dependencies"] == [{"ref": "app@1", "dependsOn": ["one@1"]}]


def test_a_package_that_the_lock_does_not_name_stops_the_build(tmp_path: Path) -> None:
    install(tmp_path, "some_thing", "1.5")

    with pytest.raises(sbom.NotInTheLock, match=r"every package must be one of the lock's, got .*some-thing.*1\.5"):
        sbom.installed(DOCUMENT, tmp_path)


def test_the_same_lock_gives_the_same_bytes() -> None:
    later = DOCUMENT | {"serialNumber": "urn:uuid:2"}

    assert sbom.reproducible(DOCUMENT) == sbom.reproducible(later)
    assert "timestamp" not in sbom.reproducible(DOCUMENT)["metadata"]
