"""Programs that stand for a container or a function: each in its own process group, none outliving the server."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlplatform_cdk.local import reaper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplatform_cdk.local.settings import Settings

KILLED_BY_SIGNAL = 128
BASE_DIR = "SAGEMAKER_BASE_DIR"  # where a container of SageMaker's finds its /opt/ml


class Child:
    """A program started here, with whatever it starts itself.

    :param process: the started leader of its own process group.
    :param log_file: where its output goes.
    """

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self._process = process
        self.log_file = log_file

    @property
    def pid(self) -> int:
        """The operating system's number of the program."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while the program runs; 128 + signal for one that was killed, as Docker says it."""
        return _as_docker_says(self._process.poll())

    def wait(self, timeout: float) -> int | None:
        """Wait up to ``timeout`` seconds; the exit code, or None while the program still runs."""
        try:
            return _as_docker_says(self._process.wait(timeout))
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float = 5.0) -> int:
        """End the whole group: ask first, then kill what is left after ``grace`` seconds."""
        if self.exit_code() is None:
            _signal_group(self.pid, signal.SIGTERM)
            self.wait(grace)
        _signal_group(self.pid, signal.SIGKILL)
        code = self._process.wait()
        _ROLL.leave(self.pid)
        return _as_docker_says(code) or 0


class _Roll:
    """Who runs, so that all can be ended: by this process at its exit, by the reaper when it is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pids: set[int] = set()
        self._ended = False
        self._reaper: IO[bytes] | None = None

    def begin(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start ``command``; the end of all waits for it, and nothing starts after that."""
        with self._lock:
            if self._ended:
                raise RuntimeError(f"a program must be started before this process ends, got {command[0]}")
            process = subprocess.Popen(command, start_new_session=True, **options)
            self._pids.add(process.pid)
            self._tell(f"+{process.pid}\n")
        return process

    def leave(self, pid: int) -> None:
        with self._lock:
            if pid in self._pids:
                self._pids.discard(pid)
                self._tell(f"-{pid}\n")

    def end_all(self) -> None:
        with self._lock:
            self._ended = True
            for pid in self._pids:
                _signal_group(pid, signal.SIGKILL)
            self._pids.clear()

    def _tell(self, line: str) -> None:
        if self._reaper is None:
            program = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._reaper = program.stdin
            atexit.register(self.end_all)
        assert self._reaper is not None
        self._reaper.write(line.encode())
        self._reaper.flush()


_ROLL = _Roll()


def start(command: Sequence[str], *, environment: Mapping[str, str], workdir: Path, log_file: Path) -> Child:
    """Start ``command`` with exactly ``environment``; its output goes to the end of ``log_file``."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        process = _ROLL.begin(
            list(command),
            env=dict(environment),
            cwd=workdir,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Child(process, log_file)


def environment_of(settings: Settings, *, region: str, credentials: Mapping[str, str], home: Path) -> dict[str, str]:
    """What every program here is told: the way to the embedded AWS and its role, nothing of the user's own shell.

    :param settings: of the running embedded AWS.
    :param region: the region whose services the program calls by default.
    :param credentials: of the program's role, as environment variables.
    :param home: an empty folder for the program's HOME.
    """
    python = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([python, os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "OMP_WAIT_POLICY": "passive",  # many programs share one machine here: who waits must not keep a core busy
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **credentials,
    }


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _as_docker_says(code: int | None) -> int | None:
    return KILLED_BY_SIGNAL - code if code is not None and code < 0 else code
