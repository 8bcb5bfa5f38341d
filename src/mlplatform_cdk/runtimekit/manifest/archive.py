"""The archive around a manifest: ``model.tar.gz``, as SageMaker packs it and unpacks it.

An archive may come from anywhere: it can neither leave its folder, nor fill the disk or the memory.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mlplatform_cdk.runtimekit.manifest.model import Manifest
from mlplatform_cdk.runtimekit.manifest.records import ManifestError

MANIFEST_NAME = "manifest.json"
_GZIP = b"\x1f\x8b"
_LARGEST_PIECE = 32 * 1024 * 1024  # bytes read into memory at once: a manifest, or a header of the archive
_BROKEN = (OSError, tarfile.TarError, EOFError, ValueError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveBounds:
    """What an archive may unpack to at most.

    :param entries: files and folders; default: 10,000.
    :param size: all files together, in bytes; default: 32 GiB.
    """

    entries: int = 10_000
    size: int = 32 * 1024**3


_BOUNDS = ArchiveBounds()


def read_archive(path: Path, bounds: ArchiveBounds = _BOUNDS) -> Manifest:
    """The manifest inside the archive at ``path``.

    :param path: a ``model.tar.gz``.
    :param bounds: what it may hold; default: 10,000 entries of 32 GiB.
    """
    names = []
    try:
        with open_archive(path, bounds) as archive:
            for member in _checked(archive, bounds):
                name = member.name.removeprefix("./")
                if name == MANIFEST_NAME and member.isfile():
                    content = archive.extractfile(member)
                    return Manifest.from_json(content.read() if content else b"")
                names += [name] if member.isfile() else []
    except _BROKEN as error:
        raise ManifestError(f"the model archive {path.name} must be a readable tar file, got {error}") from None
    came = ", ".join(sorted(names)) or "nothing"
    advice = "train it with the platform's training step"
    raise ManifestError(f"the model archive {path.name} must hold {MANIFEST_NAME}, got {came}; {advice}")


def unpack_archive(path: Path, into: Path, bounds: ArchiveBounds = _BOUNDS) -> Manifest:
    """Unpack the archive at ``path`` into the folder ``into``, check the files, and return the manifest.

    :param path: a ``model.tar.gz``.
    :param into: an existing folder.
    :param bounds: what it may hold; default: 10,000 entries of 32 GiB.
    """
    manifest = read_archive(path, bounds)
    unpack_files(path, into, bounds)
    check_files(manifest, into)
    return manifest


def unpack_files(path: Path, into: Path, bounds: ArchiveBounds = _BOUNDS) -> None:
    """Unpack the archive at ``path`` into the folder ``into``, whether it holds a manifest or not.

    :param path: a ``model.tar.gz``.
    :param into: an existing folder.
    :param bounds: what it may hold; default: 10,000 entries of 32 GiB.
    :raises ManifestError: when it is broken, or holds more than that or what leads out of the folder.
    """
    try:
        with open_archive(path, bounds) as archive:
            unpack_all(archive, into, bounds)
    except _BROKEN as error:
        raise ManifestError(f"the model archive {path.name} must unpack into a folder, got {error}") from None


@contextmanager
def open_archive(path: Path, bounds: ArchiveBounds = _BOUNDS) -> Iterator[tarfile.TarFile]:
    """The archive at ``path``, packed with gzip or not at all, read piece by piece and no further than ``bounds``.

    :param path: a ``model.tar.gz``.
    :param bounds: what it may hold; default: 10,000 entries of 32 GiB.
    """
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        content = gzip.GzipFile(fileobj=file) if packed else file
        furthest = bounds.size + (bounds.entries + 20) * 4096  # each entry has headers and is filled up to its block
        guarded: IO[bytes] = _Guarded(content, furthest)  # type: ignore[assignment]
        with tarfile.open(fileobj=guarded, mode="r:") as archive:
            yield archive


def unpack_all(archive: tarfile.TarFile, into: Path, bounds: ArchiveBounds = _BOUNDS) -> None:
    """Unpack the files and folders of ``archive`` into the folder ``into`` and nowhere else.

    :param archive: see ``open_archive``.
    :param into: an existing folder.
    :param bounds: what it may hold; default: 10,000 entries of 32 GiB.
    :raises tarfile.TarError: when a member is a link or a device, would lie outside, or is one too many.
    """
    inside = into.resolve()
    for member in _checked(archive, bounds):
        if not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r}, which is neither a file nor a folder")
        if "\0" in member.name or not (into / member.name).resolve().is_relative_to(inside):
            raise tarfile.TarError(f"{member.name!r}, which would lie outside")
        # Python's own filter, which takes owners and special modes away too, came to Python 3.11 with 3.11.4.
        if hasattr(tarfile, "data_filter"):
            archive.extract(member, into, filter="data")
        else:
            archive.extract(member, into, set_attrs=False)


def _checked(archive: tarfile.TarFile, bounds: ArchiveBounds) -> Iterator[tarfile.TarInfo]:
    """The members of ``archive``, each held against ``bounds`` before anything of it is read."""
    size = 0
    for number, member in enumerate(archive, 1):
        size += member.size
        if number > bounds.entries or size > bounds.size:
            raise tarfile.TarError(f"more than {bounds.entries} entries or {bounds.size} bytes")
        if member.size > _LARGEST_PIECE and member.name.removeprefix("./") == MANIFEST_NAME:
            raise tarfile.TarError(f"a {MANIFEST_NAME} of {member.size} bytes")
        yield member


class _Guarded:
    """A file that is read in small pieces only, and not beyond a place: an archive's headers can ask for any size."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, furthest: int) -> None:
        self._file = file
        self._furthest = furthest

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_PIECE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if place > self._furthest:
            raise tarfile.ReadError(f"a file that reaches to byte {place}")
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


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
