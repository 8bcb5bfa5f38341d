"""A model that computes what a test tells it to, and the server in front of it, in this process."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import uvloop
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.pace import Pace
from mlplatform_cdk.serving.container.server import Server, listening_sockets
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings

JSON = "application/json"
BODY = b'{"inputs":{"x":[[1,2]]}}'
Array = NDArray[Any]


class Engine:
    """Doubles its input; ``runs`` has the rows of each run and the thread that computed it.

    It waits where ``gate`` is closed, and fails where a row holds ``poison``.
    """

    name, precision, providers, most_rows = "stand-in", "fp32", ("none",), None

    def __init__(self, poison: float | None = None) -> None:
        self.runs: list[tuple[int, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.alone = 0
        self._poison = poison

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        x = inputs["x"]
        self.runs.append((len(x), threading.current_thread().name))
        self.begun.release()
        assert self.gate.wait(10)
        if self._poison is not None and (x == self._poison).any():
            raise ValueError("poisoned")
        return [x * 2]

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        self.alone += 1
        return self.run(inputs)

    @property
    def sizes(self) -> list[int]:
        return [size for size, _ in self.runs]

    @property
    def threads(self) -> set[str]:
        return {name for _, name in self.runs}


class Model:
    """What ``Service`` needs of a model; ``run_seconds`` decides between the event loop and the lanes."""

    hooks: Any = None
    memory_bytes = 0

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        run_seconds: float = 0.01,
        most: int = 64,
        width: int | str = 2,
        pace: Pace | None = None,
    ) -> None:
        self.engine: Any = engine or Engine()
        self.run_seconds, self.max_batch_size, self.batchable = run_seconds, most, most > 1
        self.pace = pace or Pace(seconds=run_seconds, full_seconds=run_seconds, full_rows=most, bytes_per_row=len(BODY))
        self.manifest = manifest(width)
        self.codec = Codec(self.manifest, Limits())
        self.output_names = [one.name for one in self.manifest.outputs]
        self.run_id = self.version = self.manifest.run_id
        self.closed = False

    def close(self) -> None:
        self.closed = True


def manifest(width: int | str = 2) -> Manifest:
    """One input and one output of ``width`` columns, and a budget of 1,000 ms."""
    return Manifest(
        model_name="stand-in",
        run_id="run-1",
        dataset_version="v1",
        dataset_uri="s3://lake/x/",
        code_version="1",
        algorithm={"name": "double"},
        files=(ModelFile(precision="fp32", path="model.onnx", opset=17, sha256="0" * 64),),
        inputs=(Tensor(name="x", dtype="float32", shape=("batch", width)),),
        outputs=(Tensor(name="y", dtype="float32", shape=("batch", width)),),
        content_types=(JSON, "text/csv"),
        preprocessing=(),
        golden_requests=(GoldenRequest(name="one", inputs={"x": [[1.0, 2.0]]}, outputs={"y": [[2.0, 4.0]]}),),
        latency_budget_ms=1000.0,
    )


def body(*rows: Sequence[float]) -> bytes:
    return json.dumps({"inputs": {"x": rows}}).encode()


def request(content: bytes = BODY, **headers: str) -> Request:
    """A request as ``Service.handle`` takes it, which arrives now; ``_`` in a header's name stands for ``-``."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "/invocations", {"content-type": JSON, **told}, content, time.perf_counter())


def serve(scene: Callable[[Service], Any], model: Any = None, **settings: Any) -> Any:
    """Run the coroutine function ``scene`` with a service over ``model``, without HTTP."""

    async def run() -> Any:
        service = Service(Settings(**settings), Metrics())
        if model is not None:
            service.serve(model)
        return await scene(service)

    return asyncio.run(run())


def outputs(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["outputs"]["y"]


class Hosted:
    """The server over ``model`` on a free port, its event loop in a thread.

    :param model: what answers; ``None``: nothing yet.
    :param settings: as in ``Settings``.
    """

    def __init__(
        self, model: Any, *, loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop, **settings: Any
    ) -> None:
        self._model, self._new_loop, self._settings = model, loop, Settings(**settings)
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.drained: bool | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.drain()
        self._thread.join(15)

    def drain(self) -> None:
        """Begin to end, as SIGTERM does."""
        if self.drained is None:
            self._loop.call_soon_threadsafe(self._ended.set)

    def wait(self) -> bool | None:
        """Wait until the server has ended: whether every request was answered."""
        self._thread.join(15)
        return self.drained

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def exchange(self, raw: bytes) -> bytes:
        """All that the server sends to a client that sends ``raw`` and then only listens."""
        with self.connect() as client:
            client.sendall(raw)
            return read_all(client)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.service = Service(self._settings, Metrics())
        if self._model is not None:
            self.service.serve(self._model)
        self.server = Server(self.service, self._settings)
        (listener,) = listening_sockets("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        await self.server.listen(listener)
        self._started.set()
        await self._ended.wait()
        self.drained = await self.server.drain()


def post(content: bytes = BODY, *headers: str, path: str = "/invocations", close: bool = False) -> bytes:
    """The bytes of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {JSON}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, *(["Connection: close"] if close else []), "", ""]).encode() + content


def read_all(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """The next answer of a client that has asked: status, headers in lower case, body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _received(client, 1)
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    content = b""
    while len(content) < int(headers.get("content-length", 0)):
        content += _received(client, int(headers["content-length"]) - len(content))
    return int(first.split()[1]), headers, content


def _received(client: socket.socket, size: int) -> bytes:
    data = client.recv(size)
    assert data, "the server ended the connection within an answer"
    return data


def eventually(true: Callable[[], object]) -> None:
    """Wait until ``true`` is."""
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.005)


def array(*rows: list[float]) -> Array:
    return np.array(rows, dtype=np.float32)
