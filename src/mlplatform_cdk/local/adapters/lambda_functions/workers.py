"""Warm processes of functions: one request at a time each, more of them when requests come together."""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
import threading
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.lambda_functions import bootstrap, processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDLE_PER_FUNCTION = 4
INITIALIZATION_SECONDS = 60.0


class WorkerEnded(Exception):
    """The process ended before it answered."""


class TimedOut(Exception):
    """The function took longer than its time-out."""


def _nobody(_stream: str, _line: str) -> None:
    """Hear nothing."""


class Worker:
    """One process that has loaded one function.

    :param revision: what it was started for; a function that changed needs another one.
    :param environment: the whole environment of the process.
    :param folder: the unpacked asset, which is also the working directory.
    :param hears: told each line of the log as it is written, with the log stream; default: nobody.
    """

    def __init__(
        self, revision: str, environment: dict[str, str], folder: Path, *, hears: Callable[[str, str], None] = _nobody
    ) -> None:
        self.revision = revision
        self._hears = hears
        self.log_stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._process = processes.start(environment, folder)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._lines: list[str] = []
        self._ready = False
        self._ended = threading.Event()
        self._logged = threading.Event()
        for target in (self._read_answers, self._read_log):
            threading.Thread(target=target, name=f"lambda-{self.log_stream}", daemon=True).start()

    def call(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The answer to ``request``, and the log lines that it left."""
        body = json.dumps(request).encode()
        try:
            self._get_ready()
            self._process.stdin.write(bootstrap.HEADER.pack(len(body)) + body)
            self._process.stdin.flush()
            answer = self._answers.get(timeout=request["seconds"])
        except queue.Empty:
            self.end()
            raise TimedOut from None
        except BrokenPipeError:
            answer = None
        if answer is None:
            self._ended.wait(1)
            raise WorkerEnded(str(self._process.wait(5)))
        self._logged.wait(1)
        return answer, list(self._lines)

    def _get_ready(self) -> None:
        """Wait for the handler to be loaded, which AWS does not count either; keep what that logged for the first."""
        if self._ready:
            self._lines.clear()
            self._logged.clear()
        elif self._answers.get(timeout=INITIALIZATION_SECONDS) is None:
            raise BrokenPipeError
        self._ready = True

    @property
    def lines(self) -> list[str]:
        """What the process wrote since its last request began."""
        return list(self._lines)

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _read_answers(self) -> None:
        stream = self._process.stdout
        while len(header := stream.read(bootstrap.HEADER.size)) == bootstrap.HEADER.size:
            self._answers.put(json.loads(stream.read(*bootstrap.HEADER.unpack(header))))
        self._answers.put(None)

    def _read_log(self) -> None:
        for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip("\n")
            if text.endswith(bootstrap.END_OF_LOG):
                text = text.removesuffix(bootstrap.END_OF_LOG)
                if text:
                    self._keep(text)
                self._logged.set()
            else:
                self._keep(text)
        self._logged.set()
        self._ended.set()

    def _keep(self, line: str) -> None:
        self._lines.append(line)
        self._hears(self.log_stream, line)


_lock = threading.Lock()
_idle: dict[str, list[Worker]] = {}


def take(function_arn: str, revision: str) -> Worker | None:
    """A warm worker of this revision; None where there is none."""
    with _lock:
        waiting = _idle.get(function_arn, [])
        stale = [worker for worker in waiting if worker.revision != revision]
        waiting[:] = [worker for worker in waiting if worker.revision == revision]
        found = waiting.pop() if waiting else None
    for worker in stale:
        worker.end()
    return found


def give_back(function_arn: str, worker: Worker) -> None:
    """Keep ``worker`` warm for the next request, or end it where enough are."""
    with _lock:
        waiting = _idle.setdefault(function_arn, [])
        keep = len(waiting) < IDLE_PER_FUNCTION
        if keep:
            waiting.append(worker)
    if not keep:
        worker.end()


def end_all(function_arn: str | None = None) -> None:
    """End the warm workers of a function, or all of them."""
    with _lock:
        keys = list(_idle) if function_arn is None else [function_arn]
        ended = [worker for key in keys for worker in _idle.pop(key, [])]
    for worker in ended:
        worker.end()


atexit.register(end_all)
