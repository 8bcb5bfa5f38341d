"""Work in a thread of its own, for which nobody must wait: neither a caller that gives up nor a process that ends."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def begin(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """What ``work`` gives, or raises, once it has.

    :param work: called in a thread that ends with the process.
    :param name: the thread's, for whoever looks at the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: "T | None", error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more: the process was told to end
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # work gave it

    def run() -> None:
        result: T | None = None
        failed: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            failed = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
