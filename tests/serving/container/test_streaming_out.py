"""Does an answer that comes piece by piece leave so, in its turn, no faster than its client reads?"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from mlplatform_cdk.serving.container import streaming
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request
from tests.serving.container.standins import BODY, Hosted, Model, eventually, post, read_all

PIECE = b"x" * 65536


class Streams:
    """Answers any request with a stream, as its path says."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0
        self.go_on = False

    def handle(self, request: Request, reply: Reply) -> None:
        if request.path == "/whole":
            reply(Answer(200, b"whole"))
        else:
            reply(Answer(200, content_type="text/plain", stream=Pieces(self, getattr(self, request.path[1:])())))

    async def short(self) -> AsyncIterator[bytes]:
        for piece in (b"one", b"", b"two"):
            await asyncio.sleep(0)
            yield piece

    async def broken(self) -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("no more")

    async def held(self) -> AsyncIterator[bytes]:
        yield b"one"
        while not self.go_on:  # noqa: ASYNC110 - the test says so from another thread
            await asyncio.sleep(0.005)
        yield b"two"

    async def endless(self) -> AsyncIterator[bytes]:
        while True:
            self.made += 1
            yield PIECE


class Pieces(streaming.Pieces):
    """A stream whose pieces come from the event loop itself."""

    def __init__(self, streams: Streams, parts: AsyncIterator[bytes]) -> None:
        super().__init__(iter(()))
        self._streams, self._source = streams, parts

    async def __anext__(self) -> bytes:
        return await anext(self._source)

    def close(self) -> None:
        self._streams.closed += not self._closed
        super().close()


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def hosted(streams: Streams) -> Iterator[Hosted]:
    with Hosted(Model(), client_timeout_s=0.3) as running:
        running.server.handle = streams.handle  # type: ignore[method-assign]
        yield running


def test_pieces_leave_as_chunks_and_the_next_answer_follows(hosted: Hosted) -> None:
    answers = hosted.exchange(post(path="/short") + post(path="/whole", close=True))

    head, _, rest = answers.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"\r\nContent-Type: text/plain\r\n" in head
    assert b"Content-Length" not in head
    streamed, _, after = rest.partition(b"0\r\n\r\n")
    assert streamed == b"3\r\none\r\n3\r\ntwo\r\n"
    assert after.startswith(b"HTTP/1.1 200 OK\r\n")
    assert after.endswith(b"\r\n\r\nwhole")


def test_a_client_of_http_1_0_gets_the_pieces_as_they_are_and_their_end_by_the_connections(hosted: Hosted) -> None:
    asked = post(BODY, "Connection: keep-alive", path="/short").replace(b"HTTP/1.1", b"HTTP/1.0")
    head, _, body = hosted.exchange(asked + post(path="/whole")).partition(b"\r\n\r\n")

    assert body == b"onetwo"
    assert b"\r\nConnection: close" in head
    assert b"Transfer-Encoding" not in head
    assert b"Content-Length" not in head


def test_a_stream_that_breaks_ends_the_connection_without_its_end(hosted: Hosted) -> None:
    answers = hosted.exchange(post(path="/broken") + post(path="/whole"))

    assert b"3\r\none\r\n" in answers
    assert not answers.endswith(b"0\r\n\r\n")
    assert b"whole" not in answers


def test_a_stream_waits_for_a_client_that_reads_slowly_and_ends_with_one_that_never_reads(
    hosted: Hosted, streams: Streams
) -> None:
    with hosted.connect() as client:
        client.sendall(post(path="/endless"))
        eventually(lambda: streams.made > 1)

        eventually(lambda: streams.closed == 1)

        assert streams.made * len(PIECE) < 64_000_000
        assert not hosted.server.connections


def test_a_stream_ends_with_the_client_that_asked_for_it(hosted: Hosted, streams: Streams) -> None:
    client = hosted.connect()
    client.sendall(post(path="/endless"))
    client.recv(10)
    client.close()

    eventually(lambda: streams.closed == 1)


def test_a_stream_under_way_is_sent_to_its_end_when_the_container_is_told_to_end(
    hosted: Hosted, streams: Streams
) -> None:
    with hosted.connect() as client:
        client.sendall(post(path="/held"))
        client.recv(10)

        hosted.drain()
        eventually(lambda: hosted.service.draining)
        streams.go_on = True

        assert read_all(client).endswith(b"3\r\ntwo\r\n0\r\n\r\n")
        assert hosted.wait() is True
