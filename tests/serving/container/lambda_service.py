"""Lambda's Runtime API, as a server: hands out events, takes results, and remembers how they came."""

import base64
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ROOT = "/2018-06-01/runtime/"
ERROR_TYPE, ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"


@dataclass
class Result:
    """What the function posted: to which path, with which headers, the body in the pieces that it came in."""

    path: str
    headers: dict[str, str]
    pieces: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def json(self) -> Any:
        return json.loads(self.body)

    def http(self) -> tuple[dict[str, Any], bytes]:
        """The prelude and the body of a streamed answer over HTTP."""
        prelude, _, body = self.body.partition(b"\0" * 8)
        return json.loads(prelude), body

    def error(self) -> Any:
        """What the trailers of a broken stream say."""
        return json.loads(base64.b64decode(self.trailers[ERROR_BODY]))


class LambdaService:
    """Listens on a free port of 127.0.0.1 for the block."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()
        self.results: queue.Queue[Result] = queue.Queue()
        self.asked = self.connections = 0
        self.status = 202  # what a result is answered with
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.service = self  # type: ignore[attr-defined]
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: object, *, seconds: float = 30, trace: str = "") -> Result:
        """The function's result for one event."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {"Lambda-Runtime-Deadline-Ms": str(int(1000 * (time.time() + seconds)))}
        if trace:
            headers["Lambda-Runtime-Trace-Id"] = trace
        self.events.put((body, headers))
        return self.results.get(timeout=30)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> LambdaService:
        return self.server.service  # type: ignore[attr-defined, no-any-return]

    def setup(self) -> None:
        self.service.connections += 1
        super().setup()

    def do_GET(self) -> None:
        assert self.path == ROOT + "invocation/next"
        self.service.asked += 1
        body, headers = self.service.events.get()
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{self.service.asked}")
        if self.service.asked % 2:  # Lambda's own server sends large events in chunks
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            half = len(body) // 2
            for piece in (body[:half], body[half:]):
                if piece:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self) -> None:
        result = Result(self.path.removeprefix(ROOT), dict(self.headers.items()))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                result.pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(": ")
                result.trailers[name] = value
        else:
            result.pieces.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.service.status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.service.results.put(result)

    def log_message(self, *args: object) -> None:
        """Stay silent."""
