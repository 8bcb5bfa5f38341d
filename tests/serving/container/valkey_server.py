"""Valkey servers of their own: real ones where the machine has them, else the few commands that a cache needs."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from valkey import Valkey
from valkey.crc import key_slot

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")
_SLOTS = 16384


class ValkeyServer:
    """Listens on a free port of 127.0.0.1 for the block."""

    _options: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        if PROGRAM is None:
            self._stand_in = _StandIn()
            self.port = self._stand_in.port
            threading.Thread(target=self._stand_in.serve_forever, args=(0.01,), daemon=True).start()
        else:
            self.port = _free_port()
            command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            self._process = subprocess.Popen([*command, *self._options], stdout=subprocess.DEVNULL)
            _wait_for(self.port)
        self.url = f"valkey://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        if PROGRAM is None:
            self._stand_in.shutdown()
            self._stand_in.server_close()
            for connection in self._stand_in.open:
                with suppress(OSError):  # it has ended
                    connection.shutdown(socket.SHUT_RDWR)
        else:
            self._process.kill()
            self._process.wait()


class ValkeyCluster:
    """Two servers that hold half of the names each, for the block.

    :param folder: an empty one for what they note of each other.
    """

    def __init__(self, folder: Path) -> None:
        self.servers = [_ClusterServer(folder / name) for name in ("first", "second")]

    def __enter__(self) -> Self:
        for one in self.servers:
            one.__enter__()
        self.url = self.servers[0].url
        halves = (range(_SLOTS // 2), range(_SLOTS // 2, _SLOTS))
        if PROGRAM is None:
            for one in self.servers:
                one.join(dict(zip(halves, self.servers, strict=True)))
        else:
            self._meet(dict(zip(halves, self.servers, strict=True)))
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.servers:
            one.__exit__()

    def _meet(self, holders: "dict[range, _ClusterServer]") -> None:
        clients = [Valkey(port=one.port) for one in self.servers]
        for client, slots in zip(clients, holders, strict=True):
            client.execute_command("CLUSTER ADDSLOTSRANGE", slots[0], slots[-1])
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", self.servers[1].port, self.servers[1].bus_port)
        until = time.monotonic() + 20
        while not all(client.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for client in clients):
            assert time.monotonic() < until
            time.sleep(0.05)
        for client in clients:
            client.close()


class _ClusterServer(ValkeyServer):
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.bus_port = _free_port()  # by default 10,000 above the other one, which may be no port
        self._options = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus_port), "--dir", str(folder))

    def join(self, holders: "dict[range, _ClusterServer]") -> None:
        self._stand_in.holders = {slots: one.port for slots, one in holders.items()}


class _StandIn(socketserver.ThreadingTCPServer):
    """GET, MGET and SET … PX, as https://valkey.io/topics/protocol/ says; anything else is an error.

    ``holders``: in a cluster, which port holds which slots; https://valkey.io/topics/cluster-spec/ says the rest.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.values: dict[bytes, tuple[bytes, float]] = {}
        self.holders: dict[range, int] = {}
        self.open: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def find(self, name: bytes) -> bytes:
        value, until = self.values.get(name, (b"", 0.0))
        return b"$%d\r\n%b\r\n" % (len(value), value) if time.monotonic() < until else b"$-1\r\n"

    def elsewhere(self, names: list[bytes]) -> bytes | None:
        slots = {key_slot(name) for name in names} if self.holders else set()
        if len(slots) > 1:
            return b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"
        for slot in slots:
            port = next(port for held, port in self.holders.items() if slot in held)
            if port != self.port:
                return b"-MOVED %d 127.0.0.1:%d\r\n" % (slot, port)
        return None


class _Conversation(socketserver.StreamRequestHandler):
    server: _StandIn

    def handle(self) -> None:
        self.server.open.append(self.connection)
        while line := self.rfile.readline():
            self.wfile.write(self._answer([self._word() for _ in range(int(line[1:]))]))

    def _word(self) -> bytes:
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]

    def _answer(self, words: list[bytes]) -> bytes:
        names = words[1:2]
        match words[0].upper(), words[1:]:
            case b"GET", [name]:
                answer = self.server.find(name)
            case b"MGET", names:
                answer = b"*%d\r\n" % len(names) + b"".join(map(self.server.find, names))
            case b"SET", [name, value, px, milliseconds] if px.upper() == b"PX":
                self.server.values[name] = value, time.monotonic() + int(milliseconds) / 1000
                answer = b"+OK\r\n"
            case b"CLUSTER", [b"SLOTS"] if self.server.holders:
                return _written([[held[0], held[-1], [b"127.0.0.1", to]] for held, to in self.server.holders.items()])
            case b"COMMAND", []:
                return _written([[name, 2, [], 1, last, 1] for name, last in ((b"get", 1), (b"set", 1), (b"mget", -1))])
            case _:
                return b"-ERR unknown command\r\n"
        return self.server.elsewhere(names) or answer


def _written(value: object) -> bytes:
    match value:
        case list():
            return b"*%d\r\n" % len(value) + b"".join(map(_written, value))
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case _:
            return b":%d\r\n" % value


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
