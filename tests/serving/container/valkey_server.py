"""A Valkey server of its own: the real one where the machine has it, else the few commands that a cache needs."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from typing import Self

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")


class ValkeyServer:
    """Listens on a free port of 127.0.0.1 for the block."""

    def __enter__(self) -> Self:
        if PROGRAM is None:
            self._stand_in = _StandIn()
            port = self._stand_in.server_address[1]
            threading.Thread(target=self._stand_in.serve_forever, daemon=True).start()
        else:
            port = _free_port()
            command = [PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _wait_for(port)
        self.url = f"valkey://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        if PROGRAM is None:
            self._stand_in.shutdown()
            self._stand_in.server_close()
        else:
            self._process.terminate()
            self._process.wait()


class _StandIn(socketserver.ThreadingTCPServer):
    """GET, MGET and SET … PX, as https://valkey.io/topics/protocol/ says; anything else is an error."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.values: dict[bytes, tuple[bytes, float]] = {}
        super().__init__(("127.0.0.1", 0), _Conversation)

    def find(self, name: bytes) -> bytes:
        value, until = self.values.get(name, (b"", 0.0))
        return b"$%d\r\n%b\r\n" % (len(value), value) if time.monotonic() < until else b"$-1\r\n"


class _Conversation(socketserver.StreamRequestHandler):
    server: _StandIn

    def handle(self) -> None:
        while line := self.rfile.readline():
            self.wfile.write(self._answer([self._word() for _ in range(int(line[1:]))]))

    def _word(self) -> bytes:
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]

    def _answer(self, words: list[bytes]) -> bytes:
        match words[0].upper(), words[1:]:
            case b"GET", [name]:
                return self.server.find(name)
            case b"MGET", names:
                return b"*%d\r\n" % len(names) + b"".join(map(self.server.find, names))
            case b"SET", [name, value, px, milliseconds] if px.upper() == b"PX":
                self.server.values[name] = value, time.monotonic() + int(milliseconds) / 1000
                return b"+OK\r\n"
            case _:
                return b"-ERR unknown command\r\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return
