"""The servers that are compared: how each is started, where it answers, and in which forms its guide tunes it."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.serving import environments
from benchmarks.serving.oci import build
from benchmarks.serving.wire import JSON, Body

_START_S, _STOP_S = 90.0, 10.0
# ONNX Runtime's own reports to its maker would be part of the measurement.
_COMMON = {"PATH": os.environ.get("PATH", ""), "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server in one form.

    :param name: as the tables have it.
    :param environment: the virtual environment it lives in.
    :param settings: its variables; default: none.
    :param path: where it answers; default: SageMaker's.
    """

    name: str
    environment: str
    settings: Mapping[str, str] = field(default_factory=dict)
    path: str = "/invocations"

    @property
    def ours(self) -> bool:
        """Whether it is the server of this library."""
        return self.environment in (environments.OURS, environments.OURS_OPENVINO)

    @property
    def tensors(self) -> bool:
        """Whether it takes Triton's JSON, not ours."""
        return self.environment == "pytriton"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers.

    :param first_answer_s: from the start of its process to its first answer.
    """

    server: Server
    pid: int
    port: int
    first_answer_s: float

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}{self.server.path}"

    def resident_bytes(self) -> int:
        """What its processes hold: what is each one's own, and what they share once."""
        process = psutil.Process(self.pid)
        found = [one.memory_full_info() for one in (process, *process.children(recursive=True))]
        return sum(one.uss for one in found) + max(one.rss - one.uss for one in found)


@contextmanager
def running(server: Server, model: Path, precision: str, body: Body) -> Iterator[Running]:
    """Start ``server`` for ``model`` and wait for its first answer to ``body``.

    :param model: the folder of the model and its manifest.
    :param precision: which of its files is served.
    """
    python = environments.make(server.environment)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        place, port = Path(folder), _free_port()
        command, settings, where = _start(server, model, precision, place, port)
        if body.content_type != JSON:
            settings |= {"CONTENT_TYPE": body.content_type}
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            [str(python), *command],
            cwd=where,
            env={**_COMMON, "HOME": folder, **settings, **server.settings},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}{server.path}"
            seconds = _wait(url, body, process, started)
            yield Running(server=server, pid=process.pid, port=port, first_answer_s=seconds)
        except _NoAnswerError as error:
            log.seek(0)
            raise RuntimeError(f"{server.name} did not answer: {error}; it said: {log.read()[-2000:]}") from error
        finally:
            _stop(process)


class _NoAnswerError(Exception):
    pass


def _start(
    server: Server, model: Path, precision: str, place: Path, port: int
) -> tuple[list[str], dict[str, str], Path]:
    """Its command, settings and working folder."""
    if server.ours:
        tree = build.context(place / "program")
        (place / "model").symlink_to(model.resolve())
        settings = {
            "PYTHONPATH": str(tree),
            "SAGEMAKER_BASE_DIR": str(place),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "PRECISION": precision,
        }
        return ["-m", "mlplatform_cdk.serving.container", "serve"], settings, tree
    settings = {"MODEL": str(model.resolve()), "PRECISION": precision, "PORT": str(port)}
    command = [f"{server.environment}_app.py"]
    if server.environment == "mosec":
        command += ["--address", "127.0.0.1", "--port", str(port), "--timeout", "60000", "--capacity", "4096"]
        command += ["--log-level", "error"]
    return command, settings, environments.PEERS


def _wait(url: str, body: Body, process: subprocess.Popen[bytes], started: float) -> float:
    request = urllib.request.Request(url, data=body.content, headers={"Content-Type": body.content_type})  # noqa: S310
    last = "nothing listens"
    while time.perf_counter() - started < _START_S:
        if process.poll() is not None:
            raise _NoAnswerError(f"it ended with {process.returncode}")
        try:
            with urllib.request.urlopen(request, timeout=_START_S) as response:  # noqa: S310
                json.loads(response.read())
            return time.perf_counter() - started
        except urllib.error.HTTPError as error:
            last = f"{error.code}: {error.read()[:500]!r}"
        except OSError as error:
            last = str(error)
        time.sleep(0.005)
    raise _NoAnswerError(last)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: some servers leave workers behind."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(children, timeout=2)
    for one in alive:
        one.kill()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _free_port() -> int:
    """A free port before two more: Triton listens on all three, MLServer on two."""
    while True:
        with ExitStack() as stack, suppress(OSError):
            first = int(stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1])
            for port in (first + 1, first + 2):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
