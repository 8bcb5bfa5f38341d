"""A hook's pieces, which come from plain Python code, as a stream that the event loop can wait for."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from mlplatform_cdk.serving.container.messages import Answer, Reply, known, problem

_STREAMS_AT_ONCE = 16
_beginning: set["asyncio.Task[None]"] = set()
_pool: list[ThreadPoolExecutor] = []  # made when the first model streams


class Pieces:
    """The pieces of ``parts``, each computed in a thread once the one before it has been taken.

    It closes itself when it ends, breaks or is cancelled; who gives it up before that, begun or not, must close it.

    :param parts: is closed with the stream.
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._turn = parts, threading.Lock()
        self._closed = False
        self._first: bytes | None = None
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
        piece, self._first = self._first, None
        if piece is None:
            piece = await self._next()
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def begin(self) -> None:
        """Compute the first piece, which then waits; what it raises comes before anything of the answer has left."""
        self._first = await self._next()

    async def _next(self) -> bytes | None:
        piece = None
        if not self._closed:
            try:
                piece = await asyncio.get_running_loop().run_in_executor(_threads(), self._take)
            except BaseException:  # it broke, or who waited was cancelled
                self.close()
                raise
        if piece is None:
            self.close()
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


def answer_once_begun(answer: Answer, reply: Reply) -> None:
    """Answer once the first piece is there: a hook that refuses still has its status, and one that breaks its error.

    :param answer: with a stream.
    :param reply: takes it, or the error instead.
    """
    task = asyncio.ensure_future(_begun(answer, reply))
    _beginning.add(task)
    task.add_done_callback(_beginning.discard)


async def _begun(answer: Answer, reply: Reply) -> None:
    assert answer.stream is not None
    try:
        await answer.stream.begin()
    except Exception as error:  # noqa: BLE001 - whatever the hook's code may raise
        reply(problem(known(error)))
    else:
        reply(answer)


def _threads() -> ThreadPoolExecutor:
    if not _pool:
        _pool.append(ThreadPoolExecutor(_STREAMS_AT_ONCE, thread_name_prefix="stream"))
    return _pool[0]
