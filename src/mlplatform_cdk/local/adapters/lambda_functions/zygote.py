"""Has AWS's runtime loaded, and forks for each function that begins, which saves it most of a cold start.

Run as a file under ``python -I -S``, standard library and AWS's runtime only. A message names a function's folder and
environment, and brings four descriptors: its requests, its answers, its log, and where to tell how it ended; or it is
``{"kill": number}``. The functions end with the zygote, and the zygote with who started it. See ``processes``.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

# A program reads these when it begins, and not again.
READ_AT_START = ("LANG", "LC_", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_")
ENDED = struct.Struct(">i")
LONGEST_MESSAGE = 1 << 20
HERE = Path(__file__).parent


class Zygote:
    """Forks until nobody can ask any more.

    :param control: where the messages come from.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: dict[int, tuple[int, int]] = {}  # by process: its number, and the descriptor to tell its end to
        self._woken, self._wakes = os.pipe()  # when a fork has ended
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)

    def serve(self) -> dict[str, Any] | None:
        """In a fork: what it is to be; in the zygote: None, at the end."""
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._report()
            if self._control.fileno() not in ready:
                continue
            body, descriptors, _, _ = socket.recv_fds(self._control, LONGEST_MESSAGE, 4)
            message: dict[str, Any] = json.loads(body or '{"kill": null}')
            if "kill" not in message:
                if self._fork(message["number"], descriptors) == 0:
                    self._become(message, descriptors)
                    return message
                continue
            self._kill(message["kill"])
            if not body:
                return None

    def _fork(self, number: int, descriptors: list[int]) -> int:
        try:
            pid = os.fork()
        except OSError as full:
            sys.stderr.write(f"no function can begin: {full}\n")
            pid = -1
        if pid > 0:
            self._running[pid] = (number, descriptors.pop())
        for descriptor in descriptors if pid else ():
            os.close(descriptor)
        return pid

    def _become(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """Take the function's descriptors, environment and folder, and let go of all that is the zygote's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, target)
        reporters = [reporter for _, reporter in self._running.values()]
        for descriptor in (*descriptors, *reporters, self._woken, self._wakes):
            os.close(descriptor)
        self._control.close()
        os.environ.clear()
        os.environ.update(message["environment"])
        time.tzset()
        os.chdir(message["folder"])

    def _report(self) -> None:
        """Tell of those that have ended how they did."""
        while self._running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _, reporter = self._running.pop(ended[0])
            try:
                os.write(reporter, ENDED.pack(os.waitstatus_to_exitcode(ended[1])))
            except BrokenPipeError:
                pass  # nobody wants to know
            finally:
                os.close(reporter)

    def _kill(self, wanted: int | None) -> None:
        """Kill the function of this number, or all. One that ended keeps its process until it was reported."""
        for pid, (number, _) in self._running.items():
            if wanted in {None, number}:
                os.kill(pid, signal.SIGKILL)


def must_begin_anew(function: dict[str, Any], started_with: dict[str, str], loaded: set[str]) -> bool:
    """Whether the function would be another, had it begun as a process of its own.

    :param function: its environment and folder.
    :param started_with: the environment that the zygote began with.
    :param loaded: the top-level names of its modules: a function that brings one of its own must have that.
    """
    folder, environments = Path(function["folder"]), (function["environment"], started_with)
    own, given = ({name: e[name] for name in e if name.startswith(READ_AT_START)} for e in environments)
    return own != given or not loaded.isdisjoint(one.name.partition(".")[0] for one in folder.iterdir())


def load(path: Path) -> Any:
    """The module in the file ``path``, which functions cannot import."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def warm() -> None:
    """Have botocore import and read what every first client needs; a session of its own stays with each function."""
    from botocore.session import get_session

    load(HERE.parents[1] / "models_once.py").read_models_once()
    nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}
    get_session().create_client("sts", region_name="us-east-1", **nobody)


def main(packages: str, control: str) -> None:
    """Load, and fork; in a fork, be the function."""
    bootstrap = load(HERE / "bootstrap.py")
    sys.meta_path.append(bootstrap.RuntimePackages(packages))
    import boto3  # noqa: F401 -- for the functions

    warm()
    started_with, loaded = dict(os.environ), {name.partition(".")[0] for name in sys.modules}
    # Nobody gave it that: where no locale is set, Python sets one when it begins (PEP 538), here and in a function.
    coerced = {name: started_with.pop(name) for name in ("LC_CTYPE",) if name in started_with}
    gc.collect()
    gc.freeze()
    function = Zygote(socket.socket(fileno=int(control))).serve()
    if function is None:
        return
    sys.argv = [bootstrap.__file__, packages]
    if must_begin_anew(function, started_with, loaded):
        os.execv(sys.executable, [sys.executable, "-I", "-S", *sys.argv])  # noqa: S606 -- as ``processes`` starts it
    os.environ.update(coerced)
    bootstrap.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
