"""The way of nearly every request to a tiny model: one row in JSON, computed on the event loop with what came with it.

Nothing is made for a single request but its text. Whatever is otherwise goes the ordinary way, from the connection
through the service to the predictor; so does everything that one turn of the loop has gathered where any of it fails,
for that way finds out whose fault it is. The answers are the same, byte for byte.
"""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.serving.container import tracing
from mlplatform_cdk.serving.container.codecs.one_row import OneRow
from mlplatform_cdk.serving.container.deadlines import HEADER as DEADLINE
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.heads import Head
from mlplatform_cdk.serving.container.messages import JSON
from mlplatform_cdk.serving.container.tensors import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlplatform_cdk.serving.container.load import Load
    from mlplatform_cdk.serving.container.metrics import Metrics
    from mlplatform_cdk.serving.container.model import Model
    from mlplatform_cdk.serving.container.protocol import Connection

_PATH = "/invocations"
_OWN_WAY = {DEADLINE, *tracing.HANDED_BACK}  # headers that mean something for one request


class FastPath:
    """Gathers what one turn of the event loop brings, and answers it at the turn's end.

    :param model: what computes, in less time than a hand-over to a thread takes.
    :param rows: reads and writes the rows.
    :param metrics: counts what happens.
    :param load: what batches take; more rows than its largest batch has go the ordinary way.
    :param allowed: seconds after which an answer is late.
    """

    def __init__(self, model: "Model", rows: OneRow, metrics: "Metrics", load: "Load", allowed: float) -> None:
        self._model, self._rows, self._metrics, self._load = model, rows, metrics, load
        self._allowed, self._long = allowed, allowed / 4
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[Connection, Head, bytes]] = []
        self._texts: list[bytes] = []
        self._since = 0.0  # when the first of them came
        # What ``exact()`` holds, taken up once: see Predictor.
        self._exact = copy_context()
        self._exact.run(exact().__enter__)

    def __len__(self) -> int:
        return len(self._gathered)

    def take(self, connection: "Connection", head: Head, body: bytes, *, lone: bool) -> bool:
        """Take a request over, or say that it must go the ordinary way.

        :param connection: that it came by, on which nothing else waits for its answer.
        :param lone: whether there is no other connection, so that nobody's request can come with it.
        """
        usual = head.usual
        if usual is None:
            usual = head.usual = self._is_usual(head)
        if not usual:
            return False
        text = self._rows.numbers(body)
        gathered = self._gathered
        if text is None or len(gathered) >= self._load.biggest:
            return False
        if not gathered:
            self._since = perf_counter()
            if not lone:
                self._loop.call_soon(self._turn, context=self._exact)
        gathered.append((connection, head, body))
        self._texts.append(text)
        connection.changed = self._since
        if lone:
            self._exact.run(self._turn)
        return True

    def give_back(self, connection: "Connection") -> tuple[Head, bytes]:
        """The request of ``connection``, which is forgotten here."""
        place = next(place for place, one in enumerate(self._gathered) if one[0] is connection)
        del self._texts[place]
        _, head, body = self._gathered.pop(place)
        return head, body

    def give_all_back(self) -> None:
        """Let every request that is here go the ordinary way."""
        for connection, _, _ in tuple(self._gathered):
            connection.go_slow()

    def _turn(self) -> None:
        count = len(self._gathered)
        if not count:
            return  # all were given back
        begun = perf_counter()
        waited = begun - self._since
        if waited > self._long and waited > self._load.patience(1, self._allowed):
            self.give_all_back()  # the ordinary way tells those that are too late
            return
        try:
            array = self._rows.read(self._texts)
            decoded = perf_counter()
            outputs = self._model.engine.run({self._rows.name: array})
            computed = perf_counter()
            bodies = self._rows.write(outputs, count) if count > 1 else [self._write_one(outputs)]
        except Exception:  # noqa: BLE001 - the ordinary way finds out whose fault it is, and tells
            self.give_all_back()
            return
        gathered, self._gathered, self._texts = self._gathered, [], []
        ended = perf_counter()
        for (connection, _, _), body in zip(gathered, bodies, strict=True):
            connection.answer(body)
        # Once the answers have left: the loop writes when its callbacks have returned.
        self._loop.call_soon(self._count, count, waited, decoded - begun, computed - decoded, ended - computed)

    def _count(self, count: int, queue: float, decode: float, infer: float, encode: float) -> None:
        metrics = self._metrics
        metrics.queue.add(queue, count)
        metrics.computed(count, decode, infer, encode)
        metrics.count(HTTPStatus.OK, count)
        self._load.learn(decode + infer + encode, count)

    def _write_one(self, outputs: "Sequence[NDArray[Any]]") -> bytes:
        """The ordinary writer is faster with one."""
        model = self._model
        return model.codec.encode(dict(zip(model.output_names, outputs, strict=True)), JSON)

    def _is_usual(self, head: Head) -> bool:
        if head.method != "POST" or head.path != _PATH or not head.keep_alive or head.expects:
            return False
        if not _OWN_WAY.isdisjoint(head.headers) or head.headers.get("content-type", JSON) != JSON:
            return False
        try:
            return self._model.codec.accept(head.headers.get("accept", "")) == JSON
        except RequestError:
            return False
