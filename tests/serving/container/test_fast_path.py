"""Does a small request get the same answer on the fast path, and does it leave that whenever it must?"""

import asyncio
import concurrent.futures
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
import pytest
import uvloop

from mlplatform_cdk.serving.container.cache import ResponseCache
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.predictor import Predictor
from mlplatform_cdk.serving.container.protocol import Connection
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving.container.standins import (
    Array,
    Engine,
    Hosted,
    Model,
    body,
    eventually,
    post,
    read_all,
    read_answer,
)

TINY = 0.0001  # seconds: such a model runs on the event loop
Answered = tuple[int, dict[str, str], bytes]


def tiny(engine: Engine | None = None, **more: Any) -> Model:
    return Model(engine, run_seconds=TINY, **more)


class Ways:
    """Which way requests went."""

    def __init__(self) -> None:
        self.fast = self.ordinary = 0


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    seen, answer, ask = Ways(), Connection.answer, Predictor.ask

    def fast(connection: Connection, content: bytes) -> None:
        seen.fast += 1
        answer(connection, content)

    def ordinary(predictor: Predictor, *args: Any) -> None:
        seen.ordinary += 1
        ask(predictor, *args)

    monkeypatch.setattr(Connection, "answer", fast)
    monkeypatch.setattr(Predictor, "ask", ordinary)
    return seen


class Clients:
    """Clients of one server whose requests come within one turn of its event loop, in an order that is known."""

    def __init__(self, hosted: Hosted, count: int) -> None:
        self.hosted, self._stack = hosted, ExitStack()
        self.sockets = [self._stack.enter_context(hosted.connect()) for _ in range(count)]

    def __enter__(self) -> Self:
        wanted = [one.getsockname() for one in self.sockets]
        eventually(lambda: set(wanted) <= set(self._ends()))
        ends = self._ends()
        self.ends = [ends[one] for one in wanted]  # the server's, in the clients' order
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at_once(self, *raws: bytes, then: Callable[[], object] = lambda: None) -> None:
        """Let the server get one request of each client, and do ``then`` before it turns to them."""

        def happen() -> None:
            for raw in raws:
                self.hosted.server.heads.parse(raw[: raw.index(b"\r\n\r\n") + 4])  # as if it had come before
            for end, raw in zip(self.ends, raws, strict=False):
                end.data_received(raw)
            then()

        within(self.hosted, happen)

    def answers(self) -> list[Answered]:
        return [undated(read_answer(one)) for one in self.sockets]

    def _ends(self) -> dict[Any, Connection]:
        return {one.transport.get_extra_info("peername"): one for one in list(self.hosted.server.connections)}


def within(hosted: Hosted, happen: Callable[[], object]) -> object:
    """What ``happen`` gives, done on the server's event loop."""
    done: concurrent.futures.Future[object] = concurrent.futures.Future()

    def run() -> None:
        try:
            done.set_result(happen())
        except BaseException as error:  # noqa: BLE001 - it belongs to the test
            done.set_exception(error)

    hosted.service._loop.call_soon_threadsafe(run)
    return done.result(10)


def undated(answer: Answered) -> Answered:
    answer[1].pop("date")
    return answer


def slow(hosted: Hosted) -> None:
    """Take the fast path away."""
    hosted.service.fast_path = None


def one_by_one(hosted: Hosted, raws: Sequence[bytes]) -> list[Answered]:
    """The answers of clients who come one after another; the head of each has been seen before."""
    found = []
    for raw in raws:
        for _ in range(2):
            with hosted.connect() as client:
                client.sendall(raw)
                answer = undated(read_answer(client))
        found.append(answer)
    return found


@pytest.fixture(scope="module", params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def hosted(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with Hosted(tiny(), loop=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Hosted]:
    with Hosted(tiny()) as running:
        slow(running)
        yield running


def test_a_head_that_was_seen_before_leads_to_the_fast_path(hosted: Hosted, ways: Ways) -> None:
    raw = post(body([1, 2]), "X-Mine: 1")
    with hosted.connect() as client:
        answers = []
        for _ in range(3):
            client.sendall(raw)
            answers.append(undated(read_answer(client)))

    assert (ways.ordinary, ways.fast) == (1, 2)
    assert answers[0] == answers[1] == answers[2]


def test_what_one_turn_brings_is_computed_at_once_and_each_gets_its_own_row(ways: Ways) -> None:
    engine = Engine()
    with Hosted(tiny(engine)) as hosted, Clients(hosted, 20) as clients:
        clients.at_once(*(post(body([one, -one])) for one in range(1, 21)))
        answers = clients.answers()

    assert [content for _, _, content in answers] == [
        b'{"outputs":{"y":[[%.1f,%.1f]]}}' % (2 * one, -2.0 * one) for one in range(1, 21)
    ]
    assert (ways.fast, ways.ordinary, engine.sizes) == (20, 0, [20])


def test_no_batch_is_larger_than_the_model_was_proved_for(ways: Ways) -> None:
    engine = Engine()
    with Hosted(tiny(engine, most=4)) as hosted, Clients(hosted, 6) as clients:
        clients.at_once(*(post(body([one, 0])) for one in range(6)))
        answers = clients.answers()

    assert {status for status, _, _ in answers} == {200}
    assert (ways.fast, ways.ordinary, engine.sizes) == (4, 2, [4, 2])


USUAL = {
    "as it is": post(),
    "another form": post(b'{"instances": [[1, 2]]}'),
    "no content type": post().replace(b"Content-Type: application/json\r\n", b""),
    "any answer": post(body([1, 2]), "Accept: */*"),
    "an answer in JSON": post(body([1, 2]), "Accept: text/csv;q=0.5, application/json"),
    "a query": post(path="/invocations?a=b"),
    "a name twice": post(b'{"inputs":{"x":0},"inputs":{"x":[[1,2]]}}'),
    "more names": post(b'{"instances":[[1,2]],"id":7}'),
    "the mark of UTF-8": post(b'\xef\xbb\xbf{"instances":[[1,2]]}'),
}
NUMBERS = ["1e38", "-0", "1e-400", "0.1", "123456789012345678901234567890"]
USUAL |= {f"the number {one}": post(b'{"instances":[[1,%s]]}' % one.encode()) for one in NUMBERS}
OWN = {
    "an answer in CSV": post(body([1, 2]), "Accept: text/csv"),
    "no answer that there is": post(body([1, 2]), "Accept: image/png"),
    "a content type with parameters": post().replace(b"json", b"json; charset=utf-8"),
    "a body in CSV": post(b"1,2").replace(b"application/json", b"text/csv"),
    "a content type that is not read": post().replace(b"application/json", b"image/png"),
    "a deadline": post(body([1, 2]), "X-Request-Deadline-Ms: 60000"),
    "no deadline": post(body([1, 2]), "X-Request-Deadline-Ms: soon"),
    "custom attributes": post(body([1, 2]), "X-Amzn-SageMaker-Custom-Attributes: a=b"),
    "a wrong deadline among them": post(body([1, 2]), "X-Amzn-SageMaker-Custom-Attributes: deadline-ms=x"),
    "an inference id": post(body([1, 2]), "X-Amzn-SageMaker-Inference-Id: 7"),
    "X-Ray's trace": post(body([1, 2]), "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793"),
    "the W3C's trace": post(body([1, 2]), "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    "the last request": post(close=True),
    "an old client": post().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a body in chunks": b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n0\r\n\r\n",
    "a client that expects": post(body([1, 2]), "Expect: 100-continue"),
    "another method": post().replace(b"POST", b"PUT"),
    "another path": post(path="/invocation"),
    "two rows": post(body([1, 2], [3, 4])),
    "no body": post(b""),
    "a missing number": post(b'{"instances":[[1,null]]}'),
    "numbers in a name": post(b'{"[[1,2]]":0,"instances":[ [0] ]}'),
}
BAD = ["1e400", "3.5e38", "+1", "1.", ".5", "00", "1_0", "-", "1e", "NaN", "Infinity", "true"]
BAD += ["", "1,2", "1 2", '"1"', "[1]", "1],[2"]
OWN |= {f"{one!r} in place of a number": post(b'{"instances":[[1,%s]]}' % one.encode()) for one in BAD}


@pytest.mark.parametrize("name", USUAL)
def test_usual_requests_go_the_fast_way_and_are_answered_as_on_the_ordinary_one(
    hosted: Hosted, ordinary: Hosted, ways: Ways, name: str
) -> None:
    (found,) = one_by_one(hosted, [USUAL[name]])

    assert ways.fast >= 1
    assert [found] == one_by_one(ordinary, [USUAL[name]])
    assert found[0] == 200


@pytest.mark.parametrize("name", OWN)
def test_other_requests_go_the_ordinary_way(hosted: Hosted, ordinary: Hosted, ways: Ways, name: str) -> None:
    found = one_by_one(hosted, [OWN[name]])

    assert ways.fast == 0
    assert found == one_by_one(ordinary, [OWN[name]])


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_row_is_told_so_and_its_neighbours_are_answered(hosted: Hosted, ordinary: Hosted, bad: str) -> None:
    raws = [post(body([1, 2])), post(b'{"instances":[[1,%s]]}' % bad.encode()), post(body([5, 6]))]
    with Clients(hosted, 3) as clients:
        clients.at_once(*raws)
        answers = clients.answers()

    assert [status for status, _, _ in answers] == [200, 400, 200]
    assert answers == one_by_one(ordinary, raws)


def test_everybody_at_once_gets_what_the_ordinary_way_says(hosted: Hosted, ordinary: Hosted) -> None:
    raws = [one for name, one in {**USUAL, **OWN}.items() if name not in {"an old client", "a body in chunks"}]
    with Clients(hosted, len(raws)) as clients:
        clients.at_once(*raws)
        answers = clients.answers()

    assert answers == one_by_one(ordinary, raws)


def test_a_row_that_the_model_fails_on_fails_alone(ways: Ways) -> None:
    with Hosted(tiny(Engine(poison=13))) as hosted, Clients(hosted, 3) as clients:
        clients.at_once(post(body([1, 2])), post(body([13, 0])), post(body([5, 6])))
        answers = clients.answers()

    assert [status for status, _, _ in answers] == [200, 500, 200]
    assert [answers[place][2] for place in (0, 2)] == [
        b'{"outputs":{"y":[[2.0,4.0]]}}',
        b'{"outputs":{"y":[[10.0,12.0]]}}',
    ]
    assert (ways.fast, ways.ordinary) == (0, 3)


class Odd(Engine):
    """Gives what ``spoil`` makes of the right outputs."""

    spoil: Callable[[Array], Any]

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        (right,) = super().run(inputs)
        return [self.spoil(right)]


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Odd, Hosted, Hosted]]:
    """An engine, and two servers over it: one with the fast path, one without."""
    engine = Odd()
    with Hosted(tiny(engine)) as fast, Hosted(tiny(engine)) as other:
        slow(other)
        yield engine, fast, other


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda y: y[:1], id="too few rows"),
        pytest.param(lambda y: np.concatenate([y, y]), id="too many rows"),
        pytest.param(lambda y: y[None] if len(y) == 2 else y, id="one block that reads like two rows"),
        pytest.param(lambda y: y[:, :1], id="too short rows"),
        pytest.param(lambda y: y[:, None], id="rows in rows"),
        pytest.param(lambda y: y[:, 0], id="numbers"),
        pytest.param(lambda y: y.astype(np.int64), id="whole numbers"),
        pytest.param(lambda y: y.astype(np.float16), id="halves"),
        pytest.param(lambda y: y > 2, id="true and false"),
        pytest.param(np.asfortranarray, id="columns first"),
        pytest.param(lambda y: y * np.float32("nan"), id="no numbers"),
        pytest.param(lambda y: y * np.float32("-inf"), id="infinities"),
        pytest.param(lambda y: y.astype(str), id="texts"),
    ],
)
def test_whatever_the_model_gives_the_answers_are_those_of_the_ordinary_way(
    odd: tuple[Odd, Hosted, Hosted], spoil: Callable[[Array], Any]
) -> None:
    engine, *servers = odd
    engine.spoil = spoil
    found = []
    for server in servers:
        with Clients(server, 2) as clients:
            clients.at_once(post(body([1, 2])), post(body([3, 4])))
            together = clients.answers()
            clients.at_once(post(body([5, 6])))
            found.append([*together, undated(read_answer(clients.sockets[0]))])

    assert found[0] == found[1]
    assert {status for status, _, _ in found[0]} == {200}


def test_pipelined_requests_are_answered_in_their_order(hosted: Hosted) -> None:
    raws = [post(body([one, 0])) for one in range(3)] + [post(b"{")] + [post(body([9, 9]))]
    with Clients(hosted, 2) as clients:
        first = clients.ends[0]
        clients.at_once(*raws[:2], then=lambda: [first.data_received(raw) for raw in (raws[2], raws[3] + raws[4])])
        answers = [read_answer(clients.sockets[0])[2] for _ in range(4)]
        beside = read_answer(clients.sockets[1])[2]

    assert [answers[place] for place in (0, 1, 3)] == [
        b'{"outputs":{"y":[[%.1f,%.1f]]}}' % one for one in ((0, 0), (4, 0), (18, 18))
    ]
    assert b"error" in answers[2]
    assert beside == b'{"outputs":{"y":[[2.0,0.0]]}}'


def test_a_client_that_sends_no_more_is_answered_and_told_that_it_was_the_last(hosted: Hosted) -> None:
    with Clients(hosted, 2) as clients:
        clients.at_once(post(), post(), then=lambda: clients.sockets[0].shutdown(socket.SHUT_WR))
        everything = read_all(clients.sockets[0])
        clients.at_once(post(), then=clients.ends[1].eof_received)
        assert everything.startswith(b"HTTP/1.1 200 OK\r\n")
        assert everything.endswith(b'{"outputs":{"y":[[2.0,4.0]]}}')
        assert read_answer(clients.sockets[1])[0] == 200


def test_a_client_that_ends_before_the_turn_is_told_that_it_was_the_last(hosted: Hosted) -> None:
    with Clients(hosted, 2) as clients:
        clients.at_once(post(), post(), then=clients.ends[0].eof_received)
        (_, ended, _), (_, going_on, _) = clients.answers()

    assert ended["connection"] == "close"
    assert "connection" not in going_on


@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_a_client_that_is_lost_before_the_turn_costs_the_others_nothing(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    csv = post(body([1, 2]), "Accept: text/csv")  # two of them, and the ordinary way has no room left
    with Hosted(tiny(most=2), loop=loop, queue_limit=2) as hosted, Clients(hosted, 4) as clients:
        lost = clients.ends[2]

        def lose() -> None:
            lost.transport.abort()
            lost.connection_lost(None)  # the loop would say so after this turn

        clients.at_once(csv, csv, post(body([2, 2])), post(body([3, 3])), then=lose)
        answers = [read_answer(clients.sockets[place])[2] for place in (0, 1, 3)]
        eventually(lambda: lost not in hosted.server.connections)

    assert answers == [b"2.0,4.0\n", b"2.0,4.0\n", b'{"outputs":{"y":[[6.0,6.0]]}}']
    assert hosted.drained


def test_a_drain_says_so_to_everybody_and_loses_nobody(ways: Ways) -> None:
    with Hosted(tiny()) as hosted, Clients(hosted, 3) as clients:
        clients.at_once(*(post(body([one, 0])) for one in range(3)), then=hosted.service.drain)
        answers = clients.answers()
        assert hosted.service.fast_path is None

    assert [(status, told["connection"]) for status, told, _ in answers] == [(200, "close")] * 3
    assert (ways.fast, ways.ordinary) == (0, 3)
    assert hosted.drained


def test_a_request_that_waits_is_under_way_and_its_connection_busy(hosted: Hosted) -> None:
    seen: list[object] = []
    with Clients(hosted, 2) as clients:

        def look() -> None:
            seen.append((hosted.service.under_way, *(one.busy for one in clients.ends)))

        clients.at_once(post(), then=look)
        read_answer(clients.sockets[0])
        within(hosted, look)

    assert seen == [(1, True, False), (0, False, False)]


def test_a_connection_is_not_ended_as_idle_while_its_request_waits(hosted: Hosted) -> None:
    with Clients(hosted, 2) as clients:
        clients.at_once(post(), post(), then=lambda: [one.sweep(time.perf_counter() + 3600) for one in clients.ends])

        assert [status for status, _, _ in clients.answers()] == [200, 200]


def test_a_client_that_does_not_take_its_answers_is_not_read_until_it_does(hosted: Hosted) -> None:
    with Clients(hosted, 2) as clients:
        clogged, client = clients.ends[0], clients.sockets[0]
        clients.at_once(post(body([1, 0])), post(), then=clogged.pause_writing)
        client.sendall(post(body([2, 0])))
        within(hosted, clogged.resume_writing)

        assert [read_answer(client)[2] for _ in range(2)] == [
            b'{"outputs":{"y":[[2.0,0.0]]}}',
            b'{"outputs":{"y":[[4.0,0.0]]}}',
        ]


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "ordinary"])
def test_a_turn_that_comes_too_late_for_the_deadline_computes_nothing(fast: bool) -> None:  # noqa: FBT001
    engine = Engine()
    with Hosted(tiny(engine), deadline_ms=20) as hosted, Clients(hosted, 2) as clients:
        if not fast:
            slow(hosted)
        clients.at_once(post(), post(), then=lambda: time.sleep(0.05))

        assert [status for status, _, _ in clients.answers()] == [504, 504]
    assert engine.runs == []


def test_every_request_is_counted_once_whichever_way_it_went() -> None:
    with Hosted(tiny()) as hosted, Clients(hosted, 5) as clients:
        clients.at_once(*[post()] * 5)
        clients.answers()
        clients.at_once(post(), post(b'{"instances":[[1,.5]]}'), post())
        [read_answer(one) for one in clients.sockets[:3]]
        clients.at_once(post())
        read_answer(clients.sockets[0])
        with hosted.connect() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            told = read_answer(client)[2].decode()

    assert 'requests_total{status="200"} 8' in told  # 5 and 2 and 1
    assert 'requests_total{status="400"} 1' in told
    assert 'stage_seconds_count{stage="queue"} 9' in told
    assert 'stage_seconds_count{stage="infer"} 9' in told
    assert "batch_requests_sum 9\n" in told
    assert "batch_requests_count 3\n" in told


@pytest.mark.parametrize(
    ("model", "observed", "cached"),
    [
        pytest.param(tiny(), True, False, id="observers see every request"),
        pytest.param(tiny(), False, True, id="a cache looks at every request"),
        pytest.param(Model(), False, False, id="a model that takes longer has threads"),
        pytest.param(tiny(most=1), False, False, id="a model whose rows must not be computed together"),
        pytest.param(tiny(width="n"), False, False, id="rows of any length"),
    ],
)
def test_where_it_does_not_fit_there_is_no_fast_path(model: Model, *, observed: bool, cached: bool) -> None:
    async def scene() -> None:
        cache = ResponseCache(Settings(cache_bytes=1000)) if cached else None
        service = Service(Settings(), Metrics(), cache)
        if observed:
            service.observers = [lambda *_: None]
        service.serve(model)
        assert service.fast_path is None

    asyncio.run(scene())


def test_a_body_over_the_limit_is_refused_also_where_its_head_is_known(ways: Ways) -> None:
    with Hosted(tiny(), max_body_bytes=20) as hosted, hosted.connect() as client:
        within(hosted, lambda: hosted.server.heads.parse(post()[: post().index(b"\r\n\r\n") + 4]))
        client.sendall(post())
        read_answer(client)

    assert ways.fast == 0


def test_a_large_body_is_computed_by_a_lane_also_where_it_is_one_row(ways: Ways) -> None:
    engine = Engine()
    raw = post(body([1.2345678901234567] * 4000))
    with Hosted(tiny(engine, width=4000)) as hosted, Clients(hosted, 1) as clients:
        clients.at_once(raw)
        clients.answers()
        on_the_loop = within(hosted, lambda: threading.current_thread().name)

    assert len(raw) > 65536
    assert ways.fast == 0
    assert on_the_loop not in engine.threads
