"""The archive around a manifest: ``model.tar.gz``, as SageMaker packs it and unpacks it."""

import hashlib
import tarfile
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest.model import Manifest
from mlplatform_cdk.runtimekit.manifest.records import ManifestError

MANIFEST_NAME = "manifest.json"


def read_archive(path: Path) -> Manifest:
    """The manifest inside the archive at ``path``.

    :param path: a ``model.tar.gz``.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if member.isfile() and member.name.removeprefix("./") == MANIFEST_NAME:
                    content = archive.extractfile(member)
                    return Manifest.from_json(content.read() if content else b"")
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ManifestError(f"the model archive {path.name} must be a readable tar file, got {error}") from None
    raise ManifestError(_without_manifest(path))


def unpack_archive(path: Path, into: Path) -> Manifest:
    """Unpack the archive at ``path`` into the folder ``into``, check the files, and return the manifest.

    :param path: a ``model.tar.gz``.
    :param into: an existing folder.
    """
    manifest = read_archive(path)
    try:
        with tarfile.open(path, "r:*") as archive:
            unpack_all(archive, into)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ManifestError(f"the model archive {path.name} must unpack into a folder, got {error}") from None
    check_files(manifest, into)
    return manifest


def unpack_all(archive: tarfile.TarFile, into: Path) -> None:
    """Unpack ``archive`` into the folder ``into`` and nowhere else.

    :raises tarfile.TarError: when a member would lie, or point, outside.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(into, filter="data")
        return
    # Python 3.11 got tarfile's filters with 3.11.4; before that, neither links nor ways out are unpacked.
    for member in archive:
        if not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r}, which is neither a file nor a folder")
        if not (into / member.name).resolve().is_relative_to(into.resolve()):
            raise tarfile.TarError(f"{member.name!r}, which would lie outside")
    archive.extractall(into)  # noqa: S202 -- each member was looked at


def read_folder(folder: Path) -> Manifest:
    """The manifest of a model that is already unpacked in ``folder``, its files checked against it."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise ManifestError(f"the model folder {folder} must hold {MANIFEST_NAME}, got {_names(folder)}")
    manifest = Manifest.from_json(path.read_bytes())
    check_files(manifest, folder)
    return manifest


def check_files(manifest: Manifest, folder: Path) -> None:
    """Refuse a folder whose model files are not those of ``manifest``."""
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file():
            raise ManifestError(f"the model archive must hold {file.path} of its manifest, got {_names(folder)}")
        if sha256_of(path) != file.sha256:
            raise ManifestError(f"{file.path} must be the file that the manifest was written for, got another digest")


def sha256_of(path: Path) -> str:
    """The SHA-256 digest of the file at ``path``, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(folder: Path) -> str:
    return ", ".join(sorted(one.name for one in folder.iterdir())) if folder.is_dir() else "no folder"


def _without_manifest(path: Path) -> str:
    with tarfile.open(path, "r:*") as archive:
        names = ", ".join(sorted(one.name.removeprefix("./") for one in archive if one.isfile())) or "nothing"
    advice = "train it with the platform's training step"
    return f"the model archive {path.name} must hold {MANIFEST_NAME}, got {names}; {advice}"
