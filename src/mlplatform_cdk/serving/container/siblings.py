"""Several processes on one port, for models so small that one process cannot fill the machine."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME

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


def run(count: int, work: Callable[[int], int]) -> int:
    """Run ``work`` in ``count`` processes of their own, until one of them ends; then all must.

    :param count: how many.
    :param work: takes the process's number, gives its exit code.
    """
    children: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        for child in children:
            os.kill(child, number)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, pass_on)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    for number in range(count):
        child = os.fork()
        if not child:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
            _leave(work, number)
        children.append(child)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
    return _await(children)


def _leave(work: Callable[[int], int], number: int) -> None:
    """End this process with what ``work`` gives, and nothing of the parent's."""
    code = 1
    try:
        code = work(number)
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
        own = os.waitstatus_to_exitcode(status)
        code = code or abs(own)
        for child in children:
            os.kill(child, signal.SIGTERM)
    return code
