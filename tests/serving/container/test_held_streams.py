"""Does a stream keep its model loaded until it has ended, however it ends, and whether or not it began?"""

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.serving.container.messages import Answer, Request
from tests.serving.container.standins import Engine, Hosted, Model, eventually, post, read_all

INVOKE = post(path="/models/a/invoke")


class StreamingHooks:
    """Streams two pieces; the second one waits for ``gate``, and fails where it is told to."""

    streams, stream_type = True, "text/plain"

    def __init__(self) -> None:
        self.gate, self.breaks = threading.Event(), False
        self.begun = self.waiting = self.ended = 0

    def before(self, inputs: Any, _: object) -> Any:
        return inputs

    def after(self, outputs: Any, _: object) -> Any:
        return outputs

    def parts(self, _outputs: object, _context: object) -> Iterator[bytes]:
        self.begun += 1
        try:
            yield b"one"
            self.waiting += 1
            assert self.gate.wait(10)
            if self.breaks:
                raise ValueError("no more")
            yield b"two"
        finally:
            self.ended += 1


class Models:
    """One model, and how often it is held; ``early`` says whether it was let go while its hook still ran."""

    def __init__(self) -> None:
        self.hooks, self.engine = StreamingHooks(), Engine()
        self.model = Model(self.engine)
        self.model.hooks = self.hooks
        self.held = self.released = 0
        self.early = False

    def hold(self, _path: str) -> "Models":
        self.held += 1
        return self

    def release(self) -> None:
        self.released += 1
        self.early = self.early or self.hooks.begun > self.hooks.ended

    async def answer(self, request: Request) -> Answer:
        raise AssertionError(request.path)


@pytest.fixture
def models() -> Models:
    return Models()


@pytest.fixture
def hosted(models: Models) -> Iterator[Hosted]:
    with Hosted(None) as running:
        running.service.serve_many(models)  # type: ignore[arg-type]
        yield running
        models.hooks.gate.set()


@pytest.mark.parametrize("breaks", [False, True], ids=["ends", "breaks"])
def test_a_stream_holds_its_model_until_it(hosted: Hosted, models: Models, *, breaks: bool) -> None:
    models.hooks.breaks = breaks
    with hosted.connect() as client:
        client.sendall(post(path="/models/a/invoke", close=True))
        while b"one" not in client.recv(65536, socket.MSG_PEEK):
            pass
        assert (models.held, models.released) == (1, 0)
        models.hooks.gate.set()

        assert read_all(client).endswith(b"3\r\none\r\n" if breaks else b"0\r\n\r\n")
    eventually(lambda: models.released == 1)
    assert not models.early


def test_a_client_that_vanishes_lets_its_model_go_once_the_piece_under_way_is_computed(
    hosted: Hosted, models: Models
) -> None:
    with hosted.connect() as client:
        client.sendall(INVOKE)
        eventually(lambda: models.hooks.waiting)
    eventually(lambda: not hosted.server.connections)
    assert models.released == 0
    models.hooks.gate.set()

    eventually(lambda: models.released == 1)
    assert not models.early


def test_a_stream_whose_client_has_gone_before_its_first_piece_lets_its_model_go(
    hosted: Hosted, models: Models
) -> None:
    models.engine.gate.clear()
    with hosted.connect() as client:
        client.sendall(INVOKE)
        eventually(lambda: models.engine.runs)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it is reset, not half closed
    eventually(lambda: not hosted.server.connections)
    models.engine.gate.set()

    eventually(lambda: models.released == 1)
    assert (models.hooks.begun, models.hooks.ended) == (1, 1)
    assert not models.early


def test_a_stream_that_waits_for_its_turn_lets_its_model_go_with_the_client(hosted: Hosted, models: Models) -> None:
    with hosted.connect() as client:
        client.sendall(INVOKE + INVOKE)
        eventually(lambda: models.hooks.waiting and hosted.service.under_way == 0 and models.held == 2)
        assert client.recv(1, socket.MSG_PEEK)  # who leaves with bytes unread ends the connection, not its own half
    eventually(lambda: models.released == 1)
    models.hooks.gate.set()

    eventually(lambda: models.released == 2)
    assert (models.hooks.begun, models.hooks.ended) == (2, 2)  # of the second one, the first piece was computed
