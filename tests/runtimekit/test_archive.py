"""Can an archive leave its folder, fill the disk or the memory, or break the reader?"""

import gzip
import io
import lzma
import tarfile
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlplatform_cdk.runtimekit.manifest import (
    ArchiveBounds,
    ManifestError,
    open_archive,
    read_archive,
    unpack_all,
    unpack_archive,
    unpack_files,
)
from tests.runtimekit.test_manifest import MANIFEST

TEXT = MANIFEST.to_json().encode()
FILTERS = pytest.mark.parametrize("has_filters", [True, False], ids=["tarfile has filters", "Python before 3.11.4"])


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Packs members, each a header's fields and its content."""

    def run(*members: tuple[dict[str, Any], bytes]) -> Path:
        path = tmp_path / "model.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for fields, content in members:
                info = tarfile.TarInfo()
                info.size = len(content)
                for name, value in fields.items():
                    setattr(info, name, value)
                archive.addfile(info, io.BytesIO(content))
        return path

    return run


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def unpacked(path: Path, into: Path, **bounds: int) -> None:
    limits = ArchiveBounds(**bounds)
    with open_archive(path, limits) as archive:
        unpack_all(archive, into, limits)


@FILTERS
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "link", "type": tarfile.SYMTYPE, "linkname": "a"}, "'link', which is neither a file nor a folder"),
        ({"name": "link", "type": tarfile.LNKTYPE, "linkname": "a"}, "'link', which is neither a file nor a folder"),
        ({"name": "null", "type": tarfile.CHRTYPE, "devmajor": 1}, "'null', which is neither a file nor a folder"),
        ({"name": "disk", "type": tarfile.BLKTYPE}, "'disk', which is neither a file nor a folder"),
        ({"name": "pipe", "type": tarfile.FIFOTYPE}, "'pipe', which is neither a file nor a folder"),
        ({"name": "../out"}, "'../out', which would lie outside"),
        ({"name": "a/../../out"}, "'a/../../out', which would lie outside"),
        ({"name": "/tmp/out"}, "'/tmp/out', which would lie outside"),
        ({"name": "in", "pax_headers": {"path": "../out"}}, "'../out', which would lie outside"),
        ({"name": "in", "pax_headers": {"path": "a\0b"}}, "'a\\x00b', which would lie outside"),
    ],
)
def test_neither_links_nor_devices_nor_ways_out_are_unpacked(
    packed: Callable[..., Path],
    into: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    problem: str,
    *,
    has_filters: bool,
) -> None:
    if not has_filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    path = packed((fields, b""))

    with pytest.raises(tarfile.TarError) as raised:
        unpacked(path, into)

    assert str(raised.value) == problem
    assert [*into.iterdir()] == []


@FILTERS
def test_files_and_folders_inside_are_unpacked_without_owners_or_special_modes(
    packed: Callable[..., Path], into: Path, monkeypatch: pytest.MonkeyPatch, *, has_filters: bool
) -> None:
    if not has_filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    folder = {"name": "./code", "type": tarfile.DIRTYPE, "mode": 0o7777}
    path = packed((folder, b""), ({"name": "./code/run", "mode": 0o6777, "uid": 12345}, b"abc"), ({"name": "x"}, b""))

    unpacked(path, into)

    file = into / "code" / "run"
    assert file.read_bytes() == b"abc"
    assert file.stat().st_mode & 0o7022 == 0
    assert file.stat().st_uid == into.stat().st_uid


def test_entries_and_size_are_bounded_before_a_file_is_written(packed: Callable[..., Path], into: Path) -> None:
    path = packed(({"name": "a"}, b"x" * 100), ({"name": "b"}, b"x" * 100), ({"name": "c"}, b""))

    for bounds in ({"entries": 2}, {"size": 199}):
        with pytest.raises(tarfile.TarError, match=r"^more than \d+ entries or \d+ bytes$"):
            unpacked(path, into, **bounds)
    unpacked(path, into, entries=3, size=200)
    assert sorted(one.name for one in into.iterdir()) == ["a", "b", "c"]


def test_a_bomb_is_refused_by_what_its_header_says(packed: Callable[..., Path], into: Path) -> None:
    path = packed(({"name": "weights", "size": 50_000_000}, b"\0" * 50_000_000), ({"name": "manifest.json"}, TEXT))

    assert path.stat().st_size < 100_000
    with pytest.raises(ManifestError, match=r"must be a readable tar file, got more than 10000 entries or 1000 bytes$"):
        read_archive(path, ArchiveBounds(size=1000))
    with pytest.raises(ManifestError, match=r"got more than 10000 entries or 1000 bytes$"):
        unpack_archive(path, into, ArchiveBounds(size=1000))
    assert [*into.iterdir()] == []


def test_a_header_cannot_ask_for_more_memory_than_there_is(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 100_000_000
    path = tmp_path / "model.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf())
        for _ in range(100):
            file.write(b"0" * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ManifestError, match=r"must be a readable tar file, got "):
            read_archive(path)
        with pytest.raises(ManifestError, match=r"must unpack into a folder, got "):
            unpack_files(path, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000


def test_a_manifest_is_read_only_when_it_is_of_a_sensible_size(packed: Callable[..., Path]) -> None:
    path = packed(({"name": "manifest.json"}, b" " * 33_600_000))

    with pytest.raises(ManifestError, match=r"must be a readable tar file, got a manifest\.json of 33600000 bytes$"):
        read_archive(path)


def test_only_gzip_packs_an_archive_since_others_choose_how_much_memory_they_need(
    packed: Callable[..., Path], tmp_path: Path
) -> None:
    content = gzip.decompress(packed(({"name": "manifest.json"}, TEXT)).read_bytes())
    plain, other = tmp_path / "model.tar", tmp_path / "model.tar.xz"
    plain.write_bytes(content)
    other.write_bytes(lzma.compress(content))

    assert read_archive(plain) == MANIFEST
    with pytest.raises(ManifestError, match=r"^the model archive model\.tar\.xz must be a readable tar file, got "):
        read_archive(other)


@pytest.fixture(scope="module")
def content() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (("x" * 120, b"abc"), ("model.onnx", b"weights" * 99), ("manifest.json", TEXT)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return whole.getvalue()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), compressed=st.booleans())
def test_whatever_bytes_come_the_archive_is_read_or_refused(
    content: bytes, tmp_path: Path, data: st.DataObject, *, compressed: bool
) -> None:
    changed = bytearray(gzip.compress(content, mtime=0) if compressed else content)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(changed) - 1) | st.integers(0, min(2000, len(changed) - 1)))
        changed[place] = data.draw(st.integers(0, 255))
    del changed[len(changed) - data.draw(st.integers(0, 40)) * 20 :]
    path, into = tmp_path / "model.tar.gz", tmp_path / "into"
    path.write_bytes(bytes(changed))
    into.mkdir(exist_ok=True)

    bounds = ArchiveBounds(size=1_000_000)
    with suppress(ManifestError):  # either way is right
        read_archive(path, bounds)
    with suppress(ManifestError):
        unpack_files(path, into, bounds)
    with suppress(ManifestError):
        unpack_archive(path, into, bounds)
    assert {one.name for one in tmp_path.iterdir()} == {"model.tar.gz", "into"}
