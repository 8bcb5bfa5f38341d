"""Processes forked from ``zygote``, as who asks for them knows them: in the manner of ``subprocess.Popen``."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import socket
import subprocess
import threading
from signal import SIGKILL
from typing import IO, TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.lambda_functions import zygote
from mlplatform_cdk.local.adapters.lambda_functions.environment import inherited

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_lock = threading.Lock()
_numbers = itertools.count()
_zygotes: list[Zygote] = []
_ENDS_WITHIN_S = 5.0


class Zygote:
    """The process that forks.

    :param python: the command that runs a file as the functions' own processes are run.
    :param packages: the folder of AWS's runtime.
    """

    def __init__(self, python: Sequence[str], packages: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        with theirs:
            self._process = subprocess.Popen(
                [*python, zygote.__file__, packages, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=inherited() | no_files,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def tell(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Ask for a fork, or for the end of one.

        :raises OSError: when it ended, or the message is too long for it.
        """
        socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)

    def _end(self) -> None:
        """Let it end, with its forks, as it does once nobody can ask it; else Python warns of a process left behind."""
        self._control.close()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Forked:
    """A process forked for one function.

    :param zygote: forks it.
    :param environment: its whole environment.
    :param folder: where it works.
    :raises OSError: as ``Zygote.tell``.
    """

    def __init__(self, zygote: Zygote, environment: dict[str, str], folder: Path) -> None:
        self._zygote, self._number = zygote, next(_numbers)
        self._waits = threading.Lock()
        self._code: int | None = None
        (their_in, our_in), (our_out, their_out), (our_log, their_log), (our_end, their_end) = (
            os.pipe() for _ in range(4)
        )
        self.stdin: IO[bytes] = os.fdopen(our_in, "wb")
        self.stdout: IO[bytes] = os.fdopen(our_out, "rb")
        self.stderr: IO[bytes] = os.fdopen(our_log, "rb")
        self._end = os.fdopen(our_end, "rb", buffering=0)
        theirs = (their_in, their_out, their_log, their_end)
        try:
            zygote.tell({"number": self._number, "environment": environment, "folder": str(folder)}, theirs)
        except OSError:
            for ours in (self.stdin, self.stdout, self.stderr, self._end):
                ours.close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        with contextlib.suppress(OSError):  # where the zygote ended, so did its forks
            self._zygote.tell({"kill": self._number})

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; below 0, the signal that ended it.

        :param timeout: seconds; default: as long as it takes.
        """
        with self._waits:
            if self._code is None:
                told = select.poll()
                told.register(self._end, select.POLLIN)
                if not told.poll(None if timeout is None else timeout * 1000):
                    raise subprocess.TimeoutExpired("function", timeout or 0)
                code = self._end.read(zygote.ENDED.size)
                self._end.close()
                self._code = int(zygote.ENDED.unpack(code)[0]) if code else -SIGKILL
            return self._code


def the_zygote(python: Sequence[str], packages: str) -> Zygote:
    """The one of this process; a new one where there is none, or it ended."""
    with _lock:
        if not _zygotes or not _zygotes[-1].runs():
            _zygotes[:] = [Zygote(python, packages)]
        return _zygotes[-1]
