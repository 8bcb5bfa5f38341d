"""Outlives a killed server by a moment, to end the programs that it had started; run as a file, standard library only.

It reads ``+pid`` and ``-pid`` lines; when the pipe closes, the server is gone and so must be every group still listed.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def reap(lines: Iterable[bytes]) -> None:
    """End every process group that ``lines`` name as started and not as ended."""
    running: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        if line.startswith(b"+"):
            running.add(pid)
        else:
            running.discard(pid)
    for pid in running:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reap(sys.stdin.buffer)
