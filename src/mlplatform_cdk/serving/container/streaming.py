"""A hook's pieces, which come from plain Python code, as a stream that the event loop can wait for."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

_STREAMS_AT_ONCE = 16
_pool: list[ThreadPoolExecutor] = []  # made when the first model streams


class Pieces:
    """The pieces of ``parts``, each computed in a thread once the one before it has been taken.

    It closes itself when it ends, breaks or is cancelled; who gives it up before that, begun or not, must close it.

    :param parts: is closed with the stream.
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._turn = parts, threading.Lock()
        self._closed = False
        self._released: list[Callable[[], None]] = []

    def when_closed(self, release: Callable[[], None]) -> None:
        """Let ``release`` be called, on the event loop, once no code of the stream runs any more.

        :param release: must be given before the stream is closed.
        """
        self._released.append(release)

    def __aiter__(self) -> Self:
        """The stream itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        piece = None
        if not self._closed:
            try:
                piece = await asyncio.get_running_loop().run_in_executor(_threads(), self._take)
            except BaseException:  # it broke, or who waited was cancelled
                self.close()
                raise
        if piece is None:
            self.close()
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Want no more; a piece that is being computed ends first. Called on the event loop, any number of times."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().run_in_executor(_threads(), self._end).add_done_callback(self._release)

    def _take(self) -> bytes | None:
        with self._turn:
            return next(self._parts, None)

    def _end(self) -> None:
        with self._turn:
            end = getattr(self._parts, "close", None)
            if end is not None:
                end()

    def _release(self, _: "asyncio.Future[None]") -> None:
        for release in self._released:
            release()


def _threads() -> ThreadPoolExecutor:
    if not _pool:
        _pool.append(ThreadPoolExecutor(_STREAMS_AT_ONCE, thread_name_prefix="stream"))
    return _pool[0]
