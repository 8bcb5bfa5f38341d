"""Carries what a program prints into its CloudWatch log stream, a few lines at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from moto.logs import logs_backends

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 20
LONGEST_EVENT = 256 * 1024


class LogShipper:
    """Follows one log file into one stream.

    :param account: whose log group it is.
    :param region: where the log group is.
    :param group: the log group's name; made when it is missing, as SageMaker does.
    :param stream: the stream's name.
    :param file: what to follow; it may not exist yet.
    """

    def __init__(self, account: str, region: str, group: str, stream: str, file: Path) -> None:
        self._backend = logs_backends[account][region]
        self._group = group
        self._stream = stream
        self._file = file
        self._position = 0
        self._opened = False

    def ship(self, *, last: bool = False) -> None:
        """Send the complete lines written since the last time; with ``last``, the unfinished one too."""
        if not self._file.exists():
            return
        with self._file.open("rb") as log:
            log.seek(self._position)
            while text := log.read(CHUNK):
                whole = text if last or len(text) == CHUNK else text[: text.rfind(b"\n") + 1]
                self._position += len(whole)
                self._send(whole)
                if len(whole) < len(text):
                    return

    def _send(self, text: bytes) -> None:
        now = int(time.time() * 1000)
        lines = [line[:LONGEST_EVENT] for line in text.decode(errors="replace").splitlines() if line.strip()]
        if not lines:
            return
        if not self._opened:
            self._backend.ensure_log_group(self._group)
            self._backend.ensure_log_stream(self._group, self._stream)
            self._opened = True
        events = [{"timestamp": now, "message": line} for line in lines]
        self._backend.put_log_events(self._group, self._stream, events)
