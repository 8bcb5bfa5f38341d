"""How much memory the rehearsal takes: this process and all below it, shared pages counted once where Linux tells."""

import threading
from types import TracebackType
from typing import Self

import psutil

SAMPLE_SECONDS = 0.5
_MIB = 1024 * 1024


class PeakMemory:
    """Samples the process tree in the background; ``mib`` is the highest sum seen."""

    def __init__(self) -> None:
        self.mib = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin to sample."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the last sample."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.mib = max(self.mib, _tree_bytes(psutil.Process()) // _MIB)
            if self._done.wait(SAMPLE_SECONDS):
                return


def _tree_bytes(root: psutil.Process) -> int:
    return sum(_bytes(process) for process in [root, *root.children(recursive=True)])


def _bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0  # it ended between the listing and the look
    return int(getattr(memory, "pss", memory.rss))
