"""The requests that a server has under way, so that one that leaves its endpoint breaks none off, as in SageMaker."""

from __future__ import annotations

import threading

DRAIN_SECONDS = 30.0


class Traffic:
    """Who is inside, and whether anybody may come in."""

    def __init__(self) -> None:
        self._inside = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """Begin a request; False: the server has left, ask another one."""
        with self._changed:
            if self._closed:
                return False
            self._inside += 1
            return True

    def leave(self) -> None:
        """End a request that ``enter`` let in."""
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, and wait for those that are."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._inside == 0, DRAIN_SECONDS)
