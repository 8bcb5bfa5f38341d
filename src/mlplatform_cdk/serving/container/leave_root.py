"""Root only as long as SageMaker wants it: who was started as root goes on as nobody, where that was seen to work.

SageMaker hosting expects containers that start as root and promises no other user that the model is readable, so
a process of its own tries first what the server is going to do. Why so: docs/adr/0015-root-only-at-the-start.md.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlplatform_cdk.runtimekit.settings import SettingError

_IDS = re.compile(r"(\d{1,9}):(\d{1,9})")


def leave_root(wanted: str | None, *, reads: Iterable[Path], writes: Iterable[Path] = ()) -> str:
    """Go on as ``wanted`` if this process is root's and that user can do the same; the reason if it stays root.

    :param wanted: ``<uid>:<gid>``; None: stay.
    :param reads: files, and folders with all that they hold, that the server will read.
    :param writes: folders that the server will write into.
    :raises SettingError: when ``wanted`` is no pair of numbers.
    """
    if wanted is None or os.geteuid() != 0:
        return ""
    told = _IDS.fullmatch(wanted)
    if not told or not int(told[1]):
        raise SettingError(f"the environment variable LEAVE_ROOT_FOR must be <uid>:<gid>, not root's, got {wanted!r}")
    uid, gid = int(told[1]), int(told[2])
    devices = [device for device in Path("/dev").glob("nvidia*") if device.is_char_device()]
    # Much is imported later only: where Python's own path is closed to others, nothing would be found then.
    paths = [path for path in map(Path, sys.path) if path.exists()]
    reason = _tried(uid, gid, reads=[*paths, *_all(reads)], writes=[*devices, *writes])
    if not reason:
        _become(uid, gid)
    return reason


def _tried(uid: int, gid: int, *, reads: Iterable[Path], writes: Iterable[Path]) -> str:
    """What a process of that user cannot do; empty when it can do everything."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        reason = "the trial failed"
        try:
            reason = _trial(uid, gid, reads, writes)
        finally:
            os.write(theirs, reason.encode(errors="replace"))
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8", errors="replace") as told:
        reason = told.read()
    _, status = os.waitpid(child, 0)
    return reason if status == 0 else "the trial ended early"


def _trial(uid: int, gid: int, reads: Iterable[Path], writes: Iterable[Path]) -> str:
    doing = f"becoming {uid}:{gid}"
    try:
        _become(uid, gid)
        for path in reads:
            doing = f"reading {path}"
            _read(path)
        for path in writes:
            doing = f"writing {path}"
            if not os.access(path, os.W_OK):
                raise PermissionError
    except OSError as error:
        return f"{doing} is for root only: {error.strerror or 'permission denied'}"
    return ""


def _become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _read(path: Path) -> None:
    if path.is_dir():
        os.scandir(path).close()
        if not os.access(path, os.X_OK):
            raise PermissionError
        return
    with path.open("rb") as file:
        file.read(1)


def _all(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path with all that it holds, as root sees it."""
    for path in paths:
        if path.exists():
            yield path
            yield from path.rglob("*")
