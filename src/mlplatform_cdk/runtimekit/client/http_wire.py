"""The wire of real calls: connections that are kept, each attempt in a thread that the call need not wait for.

A socket's time-out covers one read, and no name's look-up: only who waits for a thread keeps a deadline whatever hangs.
"""

import http.client
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mlplatform_cdk.runtimekit.client.pool import Pool
from mlplatform_cdk.runtimekit.client.wire import Exchange, Fault, Reply, Request

_MOST_THREADS = 1024
_LEAST_S = 0.001  # a socket takes a time-out of 0 for "do not wait at all"
_CHANCE = random.SystemRandom()


class HttpWire:
    """HTTP/1.1 over kept connections, by ``http.client``. Safe to use from many threads; not across a fork.

    :param tls: the trust and, for mutual TLS, the client's certificate; default: the system's trust.
    :param leads_to: names that are not looked up, and the ``address:port`` to which they lead over plain HTTP, as in a
        rehearsal; default: every name is looked up.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, leads_to: Mapping[str, str] | None = None) -> None:
        self._tls = tls or ssl.create_default_context()
        self._leads_to = dict(leads_to or {})
        self._pool = Pool()
        self._threads = ThreadPoolExecutor(max_workers=_MOST_THREADS, thread_name_prefix="region-client")

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def chance(self) -> float:
        """A random number from 0 to 1."""
        return _CHANCE.random()

    def start(self, request: Request, *, connect_s: float, attempt_s: float) -> Exchange:
        """Send ``request`` from another thread."""
        exchange = HttpExchange(request, self._pool, lambda url: self._connection(url, connect_s), attempt_s)
        exchange.future = self._threads.submit(exchange.run)
        return exchange

    def wait(self, exchanges: Collection[Exchange], seconds: float) -> None:
        """Return when one of ``exchanges`` has its outcome, or after ``seconds``."""
        futures = [one.future for one in exchanges if isinstance(one, HttpExchange)]
        if futures:
            wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)
        else:
            time.sleep(seconds)

    def close(self) -> None:
        """Close every kept connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()

    def _connection(self, url: SplitResult, connect_s: float) -> http.client.HTTPConnection:
        host, timeout = url.hostname or "", max(connect_s, _LEAST_S)
        if host in self._leads_to:
            return _Led(self._leads_to[host], url.netloc, timeout)
        if url.scheme == "https":
            return http.client.HTTPSConnection(host, url.port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, url.port, timeout=timeout)


class _Led(http.client.HTTPConnection):
    """A connection to an address that goes by another name."""

    def __init__(self, address: str, name: str, timeout: float) -> None:
        super().__init__(address, timeout=timeout)
        self._name = name

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:  # noqa: FBT001, FBT002 -- as the base has it
        """Begin a request, and say the name."""
        super().putrequest(method, url, skip_host=True, skip_accept_encoding=skip_accept_encoding)
        if not skip_host:
            self.putheader("Host", self._name)


class HttpExchange:
    """One request and its answer."""

    future: "Future[Reply | Fault]"

    def __init__(
        self,
        request: Request,
        pool: Pool,
        connect: Callable[[SplitResult], http.client.HTTPConnection],
        attempt_s: float,
    ) -> None:
        self._request, self._pool, self._connect = request, pool, connect
        self._url = urlsplit(request.url)
        self._timeout_s = max(attempt_s, _LEAST_S)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cancelled = False

    def outcome(self) -> Reply | Fault | None:
        """What came of it; None: it still runs."""
        return self.future.result() if self.future.done() and not self.future.cancelled() else None

    def cancel(self) -> None:
        """Wake the thread by shutting its socket, which closes it."""
        self.future.cancel()
        with self._lock:
            self._cancelled = True
            if self._socket is not None:
                with suppress(OSError):  # it may be closed already
                    # Not the TLS layer's own, after which another thread might write plain text.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def run(self) -> Reply | Fault:
        """Send, and read the whole answer."""
        connection = self._pool.take(self._origin())
        if connection is None:
            try:
                connection = self._connect(self._url)
                connection.connect()
            except (OSError, http.client.HTTPException, UnicodeError) as error:
                return Fault(what=_not_connected(error), sent=False)
        try:
            return self._talk(connection)
        finally:
            if not self._let_go():
                connection.close()
            else:
                self._pool.give(self._origin(), connection)

    def _talk(self, connection: http.client.HTTPConnection) -> Reply | Fault:
        if not self._hold(connection):
            return Fault(what="was not waited for", sent=False)
        reading = False
        try:
            path = self._url.path + (f"?{self._url.query}" if self._url.query else "")
            with suppress(BrokenPipeError, ssl.SSLEOFError):  # the server may have answered before it closed
                connection.request(self._request.method, path, self._request.body or None, dict(self._request.headers))
            response = connection.getresponse()
            reading = True
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Fault(what=_broken(error, reading=reading), sent=True)
        return Reply(
            status=response.status, headers={name.lower(): value for name, value in response.getheaders()}, body=body
        )

    def _hold(self, connection: http.client.HTTPConnection) -> bool:
        """Let ``cancel`` reach the connection; False: it came before."""
        with self._lock:
            self._socket = connection.sock
            connection.sock.settimeout(self._timeout_s)
            return not self._cancelled

    def _let_go(self) -> bool:
        """Take the connection out of ``cancel``'s reach; False: it must not be used again."""
        with self._lock:
            self._socket = None
            return not self._cancelled

    def _origin(self) -> tuple[str, str]:
        return self._url.scheme, self._url.netloc


def _not_connected(error: Any) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(error, TimeoutError):
        return "did not take the connection in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"has no address: {error}"
    if isinstance(error, ssl.SSLError):
        return f"could not be trusted: {getattr(error, 'verify_message', '') or error.reason or error}"
    return f"took no connection: {error}"


def _broken(error: Exception, *, reading: bool) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer"
    if reading:
        return "broke off in the middle of its answer"
    if isinstance(error, ConnectionError | ssl.SSLEOFError):
        return "closed the connection without an answer"
    if isinstance(error, ssl.SSLError):
        return f"ended TLS: {error.reason or error}"
    return f"answered what is no HTTP: {error or type(error).__name__}"
