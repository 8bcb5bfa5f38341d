"""The files and container images that a stack's template refers to, from its ``*.assets.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.documents import load, member
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Placeholders = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAsset:
    """A file, or a folder to be zipped, and where in S3 the template expects it."""

    id: str
    path: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAsset:
    """A build context of a container image, and where in ECR the template expects the image."""

    id: str
    directory: Path
    dockerfile: str
    repository: str
    tag: str
    target: str | None = None
    build_arguments: Mapping[str, str] = field(default_factory=dict)


def read_assets(path: Path, placeholders: Placeholders) -> tuple[tuple[FileAsset, ...], tuple[ImageAsset, ...]]:
    """The assets that the manifest ``path`` lists.

    :param placeholders: what ``${AWS::AccountId}`` and the like stand for.
    """
    manifest = load(path, "asset manifest")
    files = tuple(
        FileAsset(
            id=asset_id,
            path=_source(path, source, "path"),
            zipped=source.get("packaging") == "zip",
            bucket=_filled(member(destination, "bucketName", str(path)), placeholders),
            key=_filled(member(destination, "objectKey", str(path)), placeholders),
        )
        for asset_id, source, destination in _entries(path, manifest, "files")
    )
    images = tuple(
        ImageAsset(
            id=asset_id,
            directory=_source(path, source, "directory"),
            dockerfile=source.get("dockerFile", "Dockerfile"),
            repository=_filled(member(destination, "repositoryName", str(path)), placeholders),
            tag=_filled(member(destination, "imageTag", str(path)), placeholders),
            target=source.get("dockerBuildTarget"),
            build_arguments=dict(source.get("dockerBuildArgs", {})),
        )
        for asset_id, source, destination in _entries(path, manifest, "dockerImages")
    )
    return files, images


def _entries(path: Path, manifest: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for asset_id, asset in manifest.get(kind, {}).items():
        where = f"asset {asset_id} in {path}"
        for destination in member(asset, "destinations", where).values():
            yield asset_id, member(asset, "source", where), destination


def _source(path: Path, source: dict[str, Any], key: str) -> Path:
    if key not in source:
        raise AssemblyError(
            f"an asset in {path} is built by a command ({source.get('executable')}): not supported here"
        )
    found = (path.parent / str(source[key])).resolve()
    if not found.exists():
        raise AssemblyError(f"{path} lists the asset {found}, which does not exist; synthesize again")
    return found


def _filled(text: str, placeholders: Placeholders) -> str:
    for name, value in placeholders.items():
        text = text.replace("${AWS::" + name + "}", value)
    return text
