"""A hook's pieces, which come from plain Python code, as a stream that the event loop can wait for."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor

_STREAMS_AT_ONCE = 16
_pool: list[ThreadPoolExecutor] = []  # made when the first model streams


async def pieces(parts: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces of ``parts``, each computed in a thread once the one before it has been taken.

    :param parts: is closed when the stream ends, or when nobody wants the rest.
    """
    if not _pool:
        _pool.append(ThreadPoolExecutor(_STREAMS_AT_ONCE, thread_name_prefix="stream"))
    loop, turn = asyncio.get_running_loop(), threading.Lock()

    def take() -> bytes | None:
        with turn:
            return next(parts, None)

    def close() -> None:
        with turn:  # a piece that is being computed ends first
            end = getattr(parts, "close", None)
            if end is not None:
                end()

    try:
        while (piece := await loop.run_in_executor(_pool[0], take)) is not None:
            yield piece
    finally:
        loop.run_in_executor(_pool[0], close)
