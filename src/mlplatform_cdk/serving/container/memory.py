"""What a model's load took of the process's memory, and giving back what only the load needed."""

import ctypes
import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
# Of control groups in version 2 and 1; "max", or a number beyond the machine's memory, is none.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_WITHOUT_MEASURE = 2.2  # times the file: what sessions took over many models; for systems without /proc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT_BYTES, _LARGEST_KEPT_BYTES = 64 * 1024 * 1024, 32 * 1024 * 1024  # the latter is the most that glibc takes
# Times the file, and bytes beside: between these a session took its memory, from one that only reads its weights to one
# of convolutions, packed again, with the tensors of a full batch. What is measured beyond belongs to others.
LEAST, _MOST, _BESIDE = 1.3, 3.5, 1024 * 1024


def resident_bytes() -> int:
    """The memory of this process that lies in RAM; 0 where the system does not say."""
    if not _STATM.is_file():
        return 0
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def machine_bytes() -> int:
    """The memory that this container may take: what its control group allows, or else what the machine has."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _LIMITS:
        text = limit.read_text(encoding="ascii").strip() if limit.is_file() else "max"
        if text.isdigit():
            there = min(there, int(text))
    return there


def give_back() -> None:
    """Hand freed memory back to the system: loading a model frees as much as it keeps. Only glibc keeps it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_freed() -> None:
    """From now on, keep what a request frees for the next one: else the system clears the same pages again and again.

    A picture of 600 KB costs a third of a millisecond less. Only glibc gives back at every turn; it keeps so much for
    each thread now, until ``give_back``.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        adjust(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)


def estimate(grown: int, file_bytes: int) -> int:
    """What a model takes.

    :param grown: what the process has grown by while it was loaded, other models' traffic and loads among it, and less
        what others gave back; 0: not known.
    :param file_bytes: the size of its file, which bounds what can be true of that.
    """
    if not grown:
        return int(file_bytes * _WITHOUT_MEASURE)
    return int(min(max(grown, LEAST * file_bytes), _MOST * file_bytes + _BESIDE))
