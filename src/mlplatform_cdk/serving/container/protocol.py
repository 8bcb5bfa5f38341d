"""One connection: bytes to requests, answers to bytes, in order, with a limit on everything that a client can send.

Nothing here parses what was parsed before: a head that equals an earlier one, with its body behind it, is one look-up.
"""

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

from mlplatform_cdk.serving.container import streaming_out, wire
from mlplatform_cdk.serving.container.errors import ClientTooSlow, RequestError
from mlplatform_cdk.serving.container.exchange import Exchange
from mlplatform_cdk.serving.container.heads import Head
from mlplatform_cdk.serving.container.incoming import Incoming
from mlplatform_cdk.serving.container.messages import Request, problem

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.server import Server

# Of one connection's pipeline, beyond which it is read no further: requests, and bytes of their bodies.
_MOST_UNANSWERED, _MOST_UNANSWERED_BYTES = 128, 1024 * 1024
# How long a refused connection is not read: clients that ask again at once would take the processor from the others.
_TOO_MANY, _REST_SECONDS = 429, 0.01
_LINGER_SECONDS = 5.0  # how long bytes are discarded so that the answer which refuses them is not lost to a reset


class Connection(asyncio.Protocol):
    """A client's connection.

    :param host: the server.
    """

    def __init__(self, host: "Server") -> None:
        self._host, self._heads = host, host.heads
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # connection_made sets it
        self.exchanges: deque[Exchange] = deque()
        self.changed = perf_counter()  # when this connection last began or ended something
        self._unanswered = 0  # bytes of the bodies in exchanges
        self._incoming = Incoming(host.heads, host.settings.max_body_bytes, host.make_room)
        self._fast = False  # a request is on the fast path, and nothing else in exchanges
        self._deaf = False  # nothing more is taken: the client has ended, or was told that this is the last answer
        self._refused = self._paused = self._clogged = self._resting = False
        self._writable: asyncio.Future[None] | None = None
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport  # type: ignore[assignment]
        self._host.connections.add(self)
        self._host.connected = self.changed

    def connection_lost(self, exc: Exception | None) -> None:
        """End; what is still computed for this client is thrown away when it comes."""
        del exc
        if self._fast:
            self.go_slow()
        self._host.connections.discard(self)
        self._deaf = True
        for exchange in self.exchanges:
            exchange.lose()
        self.exchanges.clear()
        if self._streaming is not None:
            self._streaming.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come; the first lines are the way of nearly every request."""
        if self._fast:
            self.go_slow()
        if not self._incoming.begun and not self._deaf:
            end = data.find(b"\r\n\r\n") + 4
            head = self._heads.known.get(data[:end])
            if head is not None and head.length == len(data) - end and not head.expects:
                body, host = data[end:], self._host
                fast = host.service.fast_path
                if fast is not None and not self.exchanges:
                    self._fast = True
                    if fast.take(self, head, body, lone=len(host.connections) == 1):
                        return
                    self._fast = False
                self._ask(head, body)
                return
        self._take(data)

    def eof_received(self) -> bool:
        """Keep the connection half open while answers are due."""
        if self._fast:
            self.go_slow()
        self._deaf = True
        return bool(self.exchanges)

    def pause_writing(self) -> None:
        """The client does not take its answers: read no more of its requests."""
        self._clogged = True
        self.changed = perf_counter()
        self._set_reading()

    def resume_writing(self) -> None:
        """The client takes its answers again."""
        self._clogged = False
        self.changed = perf_counter()
        self._set_reading()
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None

    async def writable(self) -> None:
        """Wait until the client has taken most of what was written."""
        if self._clogged:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    @property
    def held(self) -> int:
        """Bytes of bodies under way, whole or not; small ones that are not whole count for nothing."""
        return self._unanswered + self._incoming.held

    @property
    def busy(self) -> bool:
        """Whether a request or an answer is under way."""
        return self._fast or bool(self.exchanges) or (self._incoming.begun and not self._deaf)

    def sweep(self, now: float) -> None:
        """End the connection where it is overdue; called about once a second.

        :param now: as ``time.perf_counter`` says it.
        """
        silent = now - self.changed
        settings = self._host.settings
        if self._clogged:
            if silent > settings.client_timeout_s:
                self.transport.abort()
        elif self._deaf:
            # What was written may still be on its way to a client that reads slowly.
            if not self.exchanges and silent > (_LINGER_SECONDS if self._refused else settings.client_timeout_s):
                self.transport.abort()
        elif self._incoming.begun:
            if silent > settings.client_timeout_s:
                self._refuse(ClientTooSlow(f"the request must arrive within {settings.client_timeout_s:g} s"))
        elif not self.busy and silent > settings.idle_timeout_s:
            self._deaf, self.changed = True, now
            self.transport.close()  # once what was written has left, or else the next sweeps abort it

    def answer(self, body: bytes) -> None:
        """Send what the fast path has computed."""
        self._fast = False
        self.transport.write(self._host.wire.usual(body))
        self._host.answered()

    def go_slow(self) -> None:
        """Take the request that is on the fast path the ordinary way, as if it had gone it since it came."""
        self._fast = False
        assert self._host.service.fast_path is not None
        head, body = self._host.service.fast_path.give_back(self)
        self._ask(head, body, self.changed)

    def flush(self) -> None:
        """Send every answer whose turn has come, in one write."""
        pieces, exchanges, draining = [], self.exchanges, self._host.service.draining
        while exchanges and (answer := exchanges[0].answer) is not None:
            if isinstance(answer, bytes):
                pieces.append(answer)
                exchanges.popleft()
                continue
            last = len(exchanges) == 1 and (self._deaf or (draining and not self._incoming.begun))
            head = exchanges[0].head
            bodiless, chunks = bool(head and head.method == "HEAD"), not head or head.current
            pieces.append(self._host.wire.render(answer, close=last, bodiless=bodiless, chunks=chunks))
            if answer.stream is not None:
                self._deaf = self._deaf or last
                self._send(pieces)
                exchanges[0].answer = None  # its pieces come now; nothing overtakes them
                self._streaming = streaming_out.begin(self, answer.stream, last=last, chunks=chunks)
                return
            self._unanswered -= exchanges.popleft().size
            if last:
                self._end(pieces)
                return
            if answer.status == _TOO_MANY and not self._resting:
                self._rest()
        self._send(pieces)

    def end_stream(self, *, whole: bool, last: bool) -> None:
        """The streamed answer has been written.

        :param whole: whether it came to its end; a broken one ends the connection, which tells the client.
        :param last: whether the connection ends after it.
        """
        self._streaming = None
        if not whole:
            self.transport.abort()
            return
        self._unanswered -= self.exchanges.popleft().size
        self.changed = perf_counter()
        if last:
            self._end([])
        else:
            self.flush()

    def _send(self, pieces: list[bytes]) -> None:
        if pieces:
            self.transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            self._host.answered()
        self.changed = perf_counter()
        if self._paused:
            self._set_reading()

    def _end(self, pieces: list[bytes]) -> None:
        """Send, and close: at once, or once the client has had the time to read why its bytes are refused."""
        self._deaf = True
        self._send(pieces)
        if not self._refused:
            self.transport.close()
        elif self.transport.can_write_eof():
            self.transport.write_eof()

    def _rest(self) -> None:
        self._resting = True
        self._set_reading()
        asyncio.get_running_loop().call_later(_REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if not self.transport.is_closing():
            self._set_reading()

    def _has_many(self) -> bool:
        return len(self.exchanges) >= _MOST_UNANSWERED or self._unanswered > _MOST_UNANSWERED_BYTES

    def _set_reading(self) -> None:
        pause = self._clogged or self._resting or self._has_many()
        if pause and not self._paused:
            self.transport.pause_reading()
        elif self._paused and not pause:
            self.transport.resume_reading()
        self._paused = pause

    def _ask(self, head: Head, body: bytes, arrived: float = 0.0) -> None:
        exchange = Exchange(self, head, len(body))
        self.exchanges.append(exchange)
        self._unanswered += exchange.size
        if self._has_many():
            self._set_reading()
        if not head.keep_alive:
            self._deaf = True
        now = self.changed = perf_counter()
        self._host.handle(
            Request(head.method, head.path, head.headers, body, arrived or now, head.query), exchange.reply
        )

    def _take(self, data: bytes) -> None:
        """Take ``data`` step by step, whatever it is a part of."""
        incoming = self._incoming
        if not incoming.begun:
            self.changed = perf_counter()  # a request begins; it is due in client_timeout_s
        try:
            start = 0
            while start < len(data) and not self._deaf:
                whole = incoming.take(data, start)
                if whole is None:
                    break
                head, body, start = whole
                self._ask(head, body)
        except RequestError as error:
            self._refuse(error)
        else:
            if incoming.expected:
                self._invite()

    def _invite(self) -> None:
        """Tell a client that waits for it to send its body."""
        self._incoming.expected = False
        exchange = Exchange(self, None)
        exchange.answer = wire.CONTINUE
        self.exchanges.append(exchange)
        if self.exchanges[0] is exchange:
            self.flush()

    def _refuse(self, error: RequestError) -> None:
        """Answer what cannot be a request, after the answers before it, and end the connection."""
        self._deaf = self._refused = True
        exchange = Exchange(self, None)
        self.exchanges.append(exchange)
        self._host.refused(int(error.status))
        exchange.reply(problem(error))
