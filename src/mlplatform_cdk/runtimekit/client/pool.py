"""Connections that are kept between requests, so that an attempt costs no handshake."""

import http.client
import select
import socket
import threading
import time

# Less than the 60 s after which a load balancer closes an idle connection by default.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
IDLE_S = 50.0
_KEPT = 64

Origin = tuple[str, str]


class Pool:
    """The idle connections of all regions; the one that was used last is taken first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[tuple[float, http.client.HTTPConnection]]] = {}
        self._closed = False

    def take(self, origin: Origin) -> http.client.HTTPConnection | None:
        """A kept connection that the other side has not closed; None: there is none."""
        while True:
            with self._lock:
                kept = self._idle.get(origin)
                if not kept:
                    return None
                since, connection = kept.pop()
            if time.monotonic() - since < IDLE_S and not _ended(connection.sock):
                return connection
            connection.close()

    def give(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        """Keep ``connection``, if it can be used again."""
        with self._lock:
            kept = self._idle.setdefault(origin, [])
            if connection.sock is not None and not self._closed and len(kept) < _KEPT:
                kept.append((time.monotonic(), connection))
                return
        connection.close()

    def close(self) -> None:
        """Close every idle connection, and keep none from now on."""
        with self._lock:
            self._closed = True
            idle = [connection for kept in self._idle.values() for _, connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()


def _ended(idle: socket.socket | None) -> bool:
    """Whether an idle connection has something to read, which can only be its end, or what nobody asked for."""
    if idle is None:
        return True
    if hasattr(select, "poll"):  # takes any number of a file; Windows has none
        poller = select.poll()
        poller.register(idle, select.POLLIN)
        return bool(poller.poll(0))
    return bool(select.select([idle], [], [], 0)[0])
