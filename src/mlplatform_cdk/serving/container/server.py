"""HTTP/1.1 in front of the service: keep-alive, a body limit, one thread per connection, and a clean way to stop."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mlplatform_cdk.serving.container.errors import (
    BodyTooLarge,
    LengthRequired,
    MethodNotAllowed,
    NotFound,
    RequestError,
)
from mlplatform_cdk.serving.container.service import Answer, Service, guarded, problem

_METHODS = {"/ping": "GET", "/invocations": "POST"}
_IDLE_SECONDS = 75  # longer than load balancers keep an idle connection
_MOST_DISCARDED = 64 * 1024 * 1024


class Server(ThreadingHTTPServer):
    """Listens at once; whether it is ready is the service's business.

    :param address: host and port; port 0 takes a free one, see ``server_port``.
    :param service: what answers.
    :param body_limit: the largest body, in bytes.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, *, body_limit: int) -> None:
        self.service, self.body_limit = service, body_limit
        self._under_way, self._changed = 0, threading.Condition()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without looking the host's name up, which may take seconds where there is no name server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address = self.socket.getsockname()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as under way."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def stop(self, *, grace_seconds: float) -> bool:
        """Accept nothing new, let the requests under way end, and say whether they all did.

        :param grace_seconds: how long they may take.
        """
        self.service.drain()
        self.shutdown()
        self.server_close()
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout=grace_seconds)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    _unread = 0

    def do_GET(self) -> None:
        """Answer any request; the path says which method it takes."""
        with self.server.request():
            self._unread = 0
            self._send(guarded(self._answer))

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - the standard library's names

    def handle(self) -> None:
        """Answer the requests of this connection until either side ends it."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True  # the caller went away; nobody is left to be told

    def handle_expect_100(self) -> bool:
        """Let a caller that asked first send its body."""
        accepted = super().handle_expect_100()
        self.wfile.flush()
        return accepted

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not HTTP, in the same form as every other error."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a first line that cannot be read counts as HTTP/0.9: no headers
        self._send(problem(HTTPStatus(code), message or explain or HTTPStatus(code).description))

    def version_string(self) -> str:
        """The Server header, without the versions of what is behind it."""
        return "mlplatform"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no line for each request; the platform in front keeps that log."""

    def _answer(self) -> Answer:
        length = self._unread = self._length()
        path = self.path.partition("?")[0]
        if path not in _METHODS:
            raise NotFound(f"the path must be /ping or /invocations, got {path[:80]!r}")
        if self.command != _METHODS[path]:
            raise MethodNotAllowed(f"{path} must be called by {_METHODS[path]}, got {self.command}", (_METHODS[path],))
        if length > self.server.body_limit:
            raise BodyTooLarge(f"the body must have at most {self.server.body_limit} bytes, got {length}")
        if path == "/ping":
            return self.server.service.ping()
        headers = self.headers
        return self.server.service.invoke(
            self._body(length), headers.get("Content-Type", ""), ",".join(headers.get_all("Accept", []))
        )

    def _length(self) -> int:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise LengthRequired("the request must tell its Content-Length, got a Transfer-Encoding")
        told = self.headers.get_all("Content-Length", ["0"])
        if len(told) != 1 or not (told[0].isascii() and told[0].isdigit()):
            self.close_connection = True
            raise RequestError(f"Content-Length must be one whole number, got {', '.join(told)[:80]!r}")
        return int(told[0])

    def _body(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the caller ended the connection within its body")
        self._unread = 0
        return body

    def _send(self, answer: Answer) -> None:
        if self._unread or self.server.service.draining:
            self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
        self._discard()

    def _discard(self) -> None:
        # Closing a connection with bytes unread resets it, and the caller would lose the answer that says why.
        left = min(self._unread, _MOST_DISCARDED)
        while left > 0:
            chunk = self.rfile.read(min(left, 65536))
            if not chunk:
                break
            left -= len(chunk)
