"""Regions as real servers of this machine, which can be killed, silenced, and made to answer nonsense."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of nothing: closing sends RST


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])) if self.server.reads else b""
        with self.server.lock:
            self.server.requests.append(dict(self.headers.items()))
        self.server.behave(self, body)

    def do_GET(self) -> None:
        self.say(*self.server.health)

    def say(self, status: int, content: dict[str, Any], **headers: str) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def echo(handler: Handler, body: bytes) -> None:
    handler.say(200, {"region": handler.server.region, "body": body.decode()}, x_amzn_requestid="r-1")


Behave = Callable[[Handler, bytes], None]


class Server(ThreadingHTTPServer):
    """One region's API."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    reads = True
    health: tuple[int, dict[str, Any]] = (200, {"status": "in-service"})

    def __init__(self, region: str, behave: Behave = echo, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.region, self.behave, self.lock = region, behave, threading.Lock()
        self.requests: list[dict[str, str]] = []
        self.connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", port), Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.scheme = "https" if tls else "http"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        host = "localhost" if self.scheme == "https" else "127.0.0.1"
        return f"{self.scheme}://{host}:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        with self.lock:
            self.connections.append(accepted)
        return accepted, address

    def handle_error(self, *_: object) -> None:
        """A caller that hangs up is what these tests are about."""

    def kill(self) -> None:
        """Take no connection any more, and cut those that there are."""
        self.shutdown()
        self.server_close()
        with self.lock:
            for one in self.connections:
                with suppress(OSError):  # it may have ended already
                    one.shutdown(socket.SHUT_RDWR)
