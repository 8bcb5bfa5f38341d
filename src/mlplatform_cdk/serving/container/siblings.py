"""Several processes on one port, for models so small that one process cannot fill the machine."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME

ENDING = (signal.SIGTERM, signal.SIGINT)
_log = logs.logger("serving")


def tuned_processes(folder: Path) -> int:
    """How many processes the model in ``folder`` wants; 1 where it says nothing, or cannot be read.

    :param folder: the unpacked model.
    """
    try:
        told = json.loads((folder / MANIFEST_NAME).read_bytes())["serving"]["processes"]
    except (OSError, ValueError, KeyError, TypeError):
        return 1
    return told if isinstance(told, int) and told > 0 else 1


def run(count: int, work: Callable[[int, int], int]) -> int:
    """Run ``work`` in ``count`` processes of their own, until one of them ends; then all must.

    :param count: how many.
    :param work: takes the process's number and a descriptor that ends when this process does; gives its exit code.
        Signals that end are blocked in it until it is ready for them, see ``let_signals_in``.
    """
    children: list[int] = []
    lifeline, held = os.pipe()  # nobody writes: when this process dies, however it does, every child reads the end

    def pass_on(number: int, _frame: object) -> None:
        for child in children:
            os.kill(child, number)

    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    for each in ENDING:
        signal.signal(each, pass_on)
    for number in range(count):
        child = os.fork()
        if not child:
            os.close(held)
            _leave(work, number, lifeline)
        children.append(child)
    let_signals_in()
    return _await(children)


def let_signals_in() -> None:
    """Take the signals that tell a process to end from now on, those among them that have come already."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _leave(work: Callable[[int, int], int], number: int, lifeline: int) -> None:
    """End this process with what ``work`` gives, and nothing of the parent's."""
    code = 1
    try:
        code = work(number, lifeline)
    except Exception:  # noqa: BLE001 - the last place that can still tell the reason
        _log.exception("unexpected")
    finally:
        os._exit(code)


def _await(children: list[int]) -> int:
    """The first exit code that is not 0; when one ends by itself, the others are told to, and the platform restarts."""
    code = 0
    while children:
        ended, status = os.wait()
        children.remove(ended)
        code = code or abs(os.waitstatus_to_exitcode(status))
        for child in children:
            os.kill(child, signal.SIGTERM)
    return code
