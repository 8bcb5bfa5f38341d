"""Listens, holds the connections, sweeps the overdue ones once a second, and ends without losing a request."""

import asyncio
import socket
from collections.abc import Callable
from time import perf_counter

from mlplatform_cdk.serving.container import memory
from mlplatform_cdk.serving.container.busy_poll import BusyPoll
from mlplatform_cdk.serving.container.errors import TooManyRequests
from mlplatform_cdk.serving.container.heads import Heads
from mlplatform_cdk.serving.container.protocol import Connection
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.wire import Wire

_BACKLOG = 2048
_TICK_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_QUIET_SECONDS = 0.1  # how long nothing may have come before a drain stops listening
_BODIES_SHARE = 1 / 4  # of the memory, for the bodies of all requests under way
_BESIDE_BYTES = 2 * 1024 * 1024  # of small bodies that a connection may hold beside a large one


class Server:
    """The HTTP server.

    :param service: what answers.
    :param settings: of the container.
    :param on_tick: called once a second; default: nothing.
    """

    def __init__(self, service: Service, settings: Settings, on_tick: Callable[[], None] = lambda: None) -> None:
        self.settings, self.service = settings, service
        self.heads, self.wire = Heads(settings.max_header_bytes), Wire()
        self.connections: set[Connection] = set()
        self.connected = 0.0  # when a client came last
        self.handle = service.handle
        self.refused = service.count_refused
        self._loop = asyncio.get_running_loop()
        self.answered = BusyPoll(self._loop, settings.busy_poll_us / 1e6).answered
        self._listening: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._on_tick = on_tick
        share = memory.machine_bytes() * _BODIES_SHARE / (settings.processes or 1)
        self._room = max(int(share), settings.max_body_bytes)

    @property
    def draining(self) -> bool:
        """Whether the container shuts down."""
        return self.service.draining

    def make_room(self, size: int) -> None:
        """Refuse a body of ``size`` bytes for which those under way leave no memory.

        :raises TooManyRequests: then.
        """
        if len(self.connections) * (self.settings.max_body_bytes + _BESIDE_BYTES) <= self._room:
            return
        held = sum(one.held for one in self.connections)
        if held + size > self._room:
            raise TooManyRequests(
                f"all bodies under way must have at most {self._room} bytes together, got one of {size} beside {held}; "
                "try again in 1 s"
            )

    async def listen(self, listener: socket.socket) -> None:
        """Accept connections on ``listener``, which is bound."""
        self._listening = await self._loop.create_server(lambda: Connection(self), sock=listener, backlog=_BACKLOG)
        self._tick()

    async def drain(self) -> bool:
        """Answer what has come, end, and say whether every request was answered.

        It listens on until nothing has come for a moment, a third of its time at most: what waits in the kernel was
        accepted, too.
        """
        self.service.drain()
        assert self._listening is not None
        began, patience = perf_counter(), self.settings.drain_timeout_s
        await self._until_quiet(began + patience / 3)
        self._listening.close()
        await self._until_quiet(began + patience)
        answered = not self._is_busy()
        if self._ticking is not None:
            self._ticking.cancel()
        for connection in list(self.connections):
            connection.transport.close()
        # What was written leaves as fast as clients read it.
        while self.connections and perf_counter() < began + patience:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(_LOOK_SECONDS)
        return answered

    async def _until_quiet(self, until: float) -> None:
        """Wait until nothing has come for a moment, no longer than ``until``."""
        quiet_since = perf_counter()
        while perf_counter() < until and perf_counter() - quiet_since < _QUIET_SECONDS:
            if self._is_busy() or self._came_since(quiet_since):
                quiet_since = perf_counter()
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_busy(self) -> bool:
        return bool(self.service.under_way) or any(one.busy for one in self.connections)

    def _came_since(self, moment: float) -> bool:
        """Whether a client came or asked after ``moment``, even if it has been answered already."""
        return self.connected > moment or any(one.changed > moment for one in self.connections)

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(_TICK_SECONDS, self._tick)
        self.wire.tick()
        self.service.tick()
        self._on_tick()
        now = perf_counter()
        for connection in list(self.connections):
            connection.sweep(now)


def listening_sockets(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Sockets that listen already; the kernel spreads connections over them.

    :param host: an address; one with a colon is IPv6.
    :param port: 0 takes a free one.
    :param count: how many share the port, each for a process of its own; default: 1.
    """
    listeners: list[socket.socket] = []
    for _ in range(count):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if count > 1:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, listeners[0].getsockname()[1] if listeners else port))
        listeners.append(listener)
    for listener in listeners:
        listener.listen(_BACKLOG)
    return listeners
