"""Keeps the event loop awake for a moment after an answer: to wake a core may take longer than a small model."""

import asyncio
from time import perf_counter


class BusyPoll:
    """Looks for requests without sleeping, for a bounded time.

    :param loop: the event loop.
    :param seconds: after the last answer; 0: not at all.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop, self._seconds = loop, seconds
        self._until, self._polling = 0.0, False

    def answered(self) -> None:
        """Poll from now on."""
        if not self._seconds:
            return
        self._until = perf_counter() + self._seconds
        if not self._polling:
            self._polling = True
            self._loop.call_soon(self._poll)

    def _poll(self) -> None:
        """Let the loop look at its sockets once, without waiting for them."""
        if perf_counter() < self._until:
            self._loop.call_soon(self._poll)
        else:
            self._polling = False
