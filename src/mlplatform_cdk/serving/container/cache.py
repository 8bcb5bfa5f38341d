"""Answers to equal requests, kept: off unless asked for, and exact, since only an equal request gets a kept answer.

One thread uses a cache, the event loop's. A sick shared cache costs nothing but its own hits: see ``shared_cache``.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from http import HTTPStatus

import orjson

from mlplatform_cdk.serving.container.messages import Answer
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.shared_cache import SharedCache

Reply = Callable[[Answer], None]
Compute = Callable[[Reply], None]
# The headers on which an answer can depend, beside the custom attributes, which only hooks see.
_READ = ("content-type", "accept", "content-encoding", "x-tensor-shape", "x-tensor-dtype")
_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_OVERHEAD = 512  # bytes of bookkeeping for one kept answer, about
_SHARED = "mlplatform:answer:"
_HIT = (("X-Cache", "hit"),)


def key_of(version: str, headers: Mapping[str, str], body: bytes, *, attributes: bool = False) -> str:
    """What two requests must share to get the same answer, as a digest of 128 bits.

    :param version: of the model, precision and engine included.
    :param headers: names in lower case.
    :param body: the request's.
    :param attributes: whether the model's hooks may read the custom attributes; default: no.
    """
    read = (*_READ, _ATTRIBUTES) if attributes else _READ
    told = "\0".join([version, *(headers.get(name, "") for name in read), ""])
    digest = blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(body)
    return digest.hexdigest()


class _Flight:
    """A request that is being computed, when its answer is ``due``, and those that get the same one."""

    __slots__ = ("due", "joined")

    def __init__(self, due: float) -> None:
        self.due = due
        self.joined: list[tuple[Reply, Compute]] = []


class ResponseCache:
    """Kept answers, the least recently used of which go first.

    :param settings: bounds, time to live, and whether equal requests at the same time are computed once.
    :param shared: a cache shared with other processes; default: none.
    :param clock: seconds; default: the monotonic clock.
    """

    def __init__(
        self, settings: Settings, shared: SharedCache | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds = settings.cache_bytes, settings.cache_seconds
        self._patience = settings.cache_timeout_ms / 1000
        self._together, self._shared, self._clock = settings.cache_single_flight, shared, clock
        self._kept: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._flights: dict[str, _Flight] = {}
        self.bytes = self.hits = self.misses = self.joined = 0

    def ask(self, key: str, reply: Reply, compute: Compute, due: float = 0.0) -> None:
        """Answer from the cache, or else with what ``compute`` answers, which is kept.

        :param key: see ``key_of``.
        :param reply: takes the answer, once.
        :param compute: called with who takes the computed answer.
        :param due: when the answer is late, as ``time.perf_counter`` says it: it is not waited for with one that may be
            later. Default: all are equal.
        """
        kept = self._get(key)
        if kept is not None:
            self.hits += 1
            reply(kept)
            return
        if self._together:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = _Flight(due)
            elif flight.due <= due:
                self.joined += 1
                flight.joined.append((reply, compute))
                return
            else:  # one of its own, which lands for nobody else
                self._compute(key, reply, compute, alone=True)
                return
        if self._shared is None:
            self._compute(key, reply, compute)
        else:
            self._look_up(self._shared, key, reply, compute)

    def _look_up(self, shared: SharedCache, key: str, reply: Reply, compute: Compute) -> None:
        loop = asyncio.get_running_loop()
        settled = False

        def settle(value: bytes | None) -> None:
            nonlocal settled
            if settled:
                return
            settled = True
            timer.cancel()
            answer = None if value is None else _unpacked(value)
            if answer is None:
                self._compute(key, reply, compute)
                return
            self.hits += 1
            self._put(key, answer)
            self._land(key, reply, _as_hit(answer))

        timer = loop.call_later(self._patience, settle, None)
        shared.fetch(_SHARED + key, lambda value: loop.call_soon_threadsafe(settle, value))

    def _compute(self, key: str, reply: Reply, compute: Compute, *, alone: bool = False) -> None:
        self.misses += 1

        def done(answer: Answer) -> None:
            if answer.status == HTTPStatus.OK and answer.stream is None:
                self._put(key, answer)
                if self._shared is not None:
                    self._shared.put(_SHARED + key, _packed(answer))
            if alone:
                reply(answer)
            else:
                self._land(key, reply, answer)

        compute(done)

    def _land(self, key: str, reply: Reply, answer: Answer) -> None:
        flight = self._flights.pop(key, None)
        reply(answer)
        for other, compute in flight.joined if flight else ():
            if answer.status == HTTPStatus.OK:
                other(answer)
            else:
                compute(other)  # an error may be the first one's alone, such as its deadline's

    def _get(self, key: str) -> Answer | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        until, answer = entry
        if self._clock() >= until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return _as_hit(answer)

    def _put(self, key: str, answer: Answer) -> None:
        size = len(answer.body) + _OVERHEAD
        if size > self._most:
            return
        if key in self._kept:
            self._drop(key)
        while self.bytes + size > self._most:
            self._drop(next(iter(self._kept)))
        self._kept[key] = self._clock() + self._seconds, answer
        self.bytes += size

    def _drop(self, key: str) -> None:
        _, answer = self._kept.pop(key)
        self.bytes -= len(answer.body) + _OVERHEAD


def _as_hit(answer: Answer) -> Answer:
    return Answer(answer.status, answer.body, answer.content_type, answer.headers + _HIT)


def _packed(answer: Answer) -> bytes:
    return orjson.dumps([answer.content_type, answer.headers]) + b"\n" + answer.body


def _unpacked(value: bytes) -> Answer | None:
    head, newline, body = value.partition(b"\n")
    try:
        content_type, headers = orjson.loads(head)
        pairs = tuple((str(name), str(text)) for name, text in headers)
    except (ValueError, TypeError):
        return None  # not ours, or of another version: it counts as a miss
    return Answer(HTTPStatus.OK, body, str(content_type), pairs) if newline else None
