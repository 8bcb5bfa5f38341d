"""Does the server speak HTTP/1.1 as clients do, and keep its limits towards those that do not?"""

import asyncio
import collections
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop

from mlplatform_cdk.serving.container import memory
from mlplatform_cdk.serving.container.chunked import ChunkedBody
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.protocol import Connection
from mlplatform_cdk.serving.container.server import Server
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving.container.standins import (
    BODY,
    Engine,
    Hosted,
    Model,
    body,
    eventually,
    post,
    read_all,
    read_answer,
)


@pytest.fixture(scope="module", params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def hosted(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    limits = {"max_body_bytes": 10_000, "max_header_bytes": 2048, "client_timeout_s": 3}
    with Hosted(Model(), loop=request.param, **limits) as running:
        yield running


def rows(content: bytes) -> Any:
    return json.loads(content)["outputs"]["y"]


def test_one_connection_carries_many_requests(hosted: Hosted) -> None:
    with hosted.connect() as client:
        for number in range(5):
            client.sendall(post(body([number, 0.0])))
            status, headers, content = read_answer(client)
            assert (status, rows(content)) == (200, [[2.0 * number, 0.0]])
            assert "connection" not in headers


def test_pipelined_requests_are_answered_in_their_order() -> None:
    engine = Engine()
    with Hosted(Model(engine), lanes=2) as hosted, hosted.connect() as client:
        engine.gate.clear()
        client.sendall(post(body([1, 0])) + b"GET /ping HTTP/1.1\r\n\r\n" + post(body([2, 0])) + post(b"{"))
        assert engine.begun.acquire(timeout=10)
        engine.gate.set()
        answers = [read_answer(client) for _ in range(4)]

    assert [status for status, _, _ in answers] == [200, 200, 200, 400]
    assert [rows(answers[place][2]) for place in (0, 2)] == [[[2.0, 0.0]], [[4.0, 0.0]]]


def test_a_request_is_understood_however_its_bytes_arrive(hosted: Hosted) -> None:
    raw = post(body([3, 4])) + post(body([5, 6]))
    with hosted.connect() as client:
        for place in range(len(raw)):
            client.sendall(raw[place : place + 1])
        assert [rows(read_answer(client)[2]) for _ in range(2)] == [[[6.0, 8.0]], [[10.0, 12.0]]]


def test_connection_close_and_http_1_0_end_the_connection_after_the_answer(hosted: Hosted) -> None:
    for raw in (post(close=True), post().replace(b"HTTP/1.1", b"HTTP/1.0")):
        answer = hosted.exchange(raw)

        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b'{"outputs":{"y":[[2.0,4.0]]}}')


def test_a_client_that_has_sent_all_and_ends_its_side_gets_its_answers(hosted: Hosted) -> None:
    with hosted.connect() as client:
        client.sendall(post() + post())
        client.shutdown(1)
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("last", [post(close=True), post().replace(b"HTTP/1.1", b"HTTP/1.0"), post() + b"no\r\n\r\n"])
def test_a_client_that_ends_its_side_after_its_last_request_gets_the_answer_that_is_computed(last: bytes) -> None:
    engine = Engine()
    with Hosted(Model(engine), lanes=1) as hosted, hosted.connect() as client:
        engine.gate.clear()
        client.sendall(last)
        client.shutdown(1)
        assert engine.begun.acquire(timeout=10)
        time.sleep(0.05)
        engine.gate.set()

        assert read_all(client).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_expects_100_continue_is_invited_only_to_what_would_be_read(hosted: Hosted) -> None:
    head, content = post(BODY, "Expect: 100-continue")[: -len(BODY)], BODY
    with hosted.connect() as client:
        client.sendall(head)
        assert read_answer(client)[0] == 100
        client.sendall(content)
        assert read_answer(client)[0] == 200
    too_large = hosted.exchange(post(b"x" * 10_001, "Expect: 100-continue")[:-10_001])
    assert too_large.startswith(b"HTTP/1.1 413 ")


def test_a_client_of_http_1_0_is_not_invited_since_it_knows_no_such_answer(hosted: Hosted) -> None:
    asked = post(BODY, "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
    with hosted.connect() as client:
        client.sendall(asked[: -len(BODY)])
        time.sleep(0.05)
        client.sendall(BODY)

        assert read_answer(client)[0] == 200


def test_a_body_over_the_limit_is_refused_before_it_is_read(hosted: Hosted) -> None:
    answer = hosted.exchange(b"POST /invocations HTTP/1.1\r\nContent-Length: 10001\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b'{"error":"the body must have at most 10000 bytes, got 10001"}')


def test_a_client_that_sends_all_of_too_large_a_body_still_learns_why(hosted: Hosted) -> None:
    assert hosted.exchange(post(b"x" * 3_000_000)).startswith(b"HTTP/1.1 413 ")


def chunks(*parts: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"


def test_a_body_in_chunks_is_put_together_and_the_connection_goes_on(hosted: Hosted) -> None:
    raw = chunks(BODY[:5], BODY[5:9], BODY[9:], trailer=b"X-Checked: yes\r\n") + post(body([7, 0]))
    with hosted.connect() as client:
        for place in range(0, len(raw), 7):
            client.sendall(raw[place : place + 7])
        assert rows(read_answer(client)[2]) == [[2.0, 4.0]]
        assert rows(read_answer(client)[2]) == [[14.0, 0.0]]


@pytest.mark.parametrize(
    ("raw", "status", "sentence"),
    [
        (chunks(b"x" * 6000, b"x" * 6000), 413, "the body must have at most 10000 bytes"),
        (chunks(BODY).replace(b"\r\n18\r\n", b"\r\nxyz\r\n"), 400, "must begin with its size"),
        (chunks(BODY).replace(b"\r\n18\r\n", b"\r\n10\r\n"), 400, "must end after as many bytes as it says"),
        (chunks(BODY, trailer=b"a: b\r\n" * 3000), 431, "the trailer must have at most"),
        (chunks(BODY).replace(b"\r\n18\r\n", b"\r\n" + b"0" * 400), 400, "a line between chunks must have at most"),
        (chunks(BODY).replace(b"chunked", b"gzip, chunked"), 501, "the transfer coding must be chunked"),
        (chunks(BODY).replace(b"chunked", b"chunked\r\nContent-Length: 5"), 400, "the request must be HTTP/1.1"),
        (b"nonsense\r\n\r\n", 400, "the request must be HTTP/1.1"),
        (post().replace(b"Length: ", b"Length: -"), 400, "the request must be HTTP/1.1"),
        (post(BODY, "Content-Length: 3"), 400, "the request must be HTTP/1.1"),
        (post(BODY, "X-Long: " + "x" * 3000), 431, "the request's head must have at most 2048 bytes"),
        (post(BODY, "X-Endless: " + "x" * 3000)[:2500], 431, "the request's head must have at most 2048 bytes"),
        (post(BODY, path="/" + "x" * 3000), 414, "the first line must have at most 2048 bytes"),
        (post(BODY, *(f"X-{number}: 1" for number in range(101))), 431, "at most 100 headers"),
    ],
)
def test_what_is_no_request_is_refused_in_one_sentence_and_the_connection_ends(
    hosted: Hosted, raw: bytes, status: int, sentence: str
) -> None:
    head, _, content = hosted.exchange(raw).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert sentence in json.loads(content)["error"]


@pytest.mark.parametrize(
    ("line", "status", "allowed"),
    [
        (b"HEAD /invocations", 405, "POST"),
        (b"GET /invocations", 405, "POST"),
        (b"DELETE /ping", 405, "GET, HEAD"),
        (b"PUT /metrics", 405, "GET, HEAD"),
        (b"OPTIONS /invocations", 405, "POST"),
        (b"GET /", 404, None),
        (b"GET /models", 404, None),
    ],
)
def test_other_paths_get_404_and_other_methods_405_with_those_allowed(
    hosted: Hosted, line: bytes, status: int, allowed: str | None
) -> None:
    with hosted.connect() as client:
        client.sendall(line + b" HTTP/1.1\r\n\r\n" + post())
        head_only = line.startswith(b"HEAD")
        came, headers, content = read_answer_of_head(client) if head_only else read_answer(client)
        assert (came, headers.get("allow")) == (status, allowed)
        assert head_only or " must be " in json.loads(content)["error"]
        assert read_answer(client)[0] == 200  # the connection goes on


def read_answer_of_head(client: Any) -> tuple[int, dict[str, str], bytes]:
    """HEAD's answer tells the length of a body which does not come."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        raw += client.recv(1)
    lines = raw.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name: text.upper() for name, text in headers.items()}, b""


def test_head_tells_what_get_would(hosted: Hosted) -> None:
    with hosted.connect() as client:
        for path in (b"/ping", b"/metrics"):
            client.sendall(b"HEAD %b HTTP/1.1\r\n\r\n" % path + post())
            assert read_answer_of_head(client)[0] == 200
            assert read_answer(client)[0] == 200


def test_a_body_that_is_compressed_is_refused_and_the_answer_tells_what_is_taken(hosted: Hosted) -> None:
    with hosted.connect() as client:
        client.sendall(post(BODY, "Content-Encoding: gzip") + post(BODY, "Content-Encoding: Identity"))
        status, headers, content = read_answer(client)
        assert (status, headers["accept-encoding"]) == (415, "identity")
        assert b"the content encoding must be identity, got 'gzip'" in content
        assert read_answer(client)[0] == 200


def test_an_offer_of_another_protocol_is_declined_by_answering_in_this_one(hosted: Hosted) -> None:
    with hosted.connect() as client:
        client.sendall(post(BODY, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"))
        assert rows(read_answer(client)[2]) == [[2.0, 4.0]]


def test_the_query_and_the_absolute_form_do_not_change_the_path(hosted: Hosted) -> None:
    with hosted.connect() as client:
        for target in ("/ping?x=1", "http://host:8080/ping"):
            client.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
            assert read_answer(client)[0] == 200


def test_a_client_that_never_ends_its_request_is_told_so_and_a_silent_one_is_let_go() -> None:
    with Hosted(Model(), client_timeout_s=0.1, idle_timeout_s=0.1) as hosted:
        slow, silent = hosted.connect(), hosted.connect()
        slow.sendall(post()[:-1])

        assert read_all(slow).startswith(b"HTTP/1.1 408 ")
        assert read_all(silent) == b""
        slow.close()
        silent.close()


def test_a_client_that_never_reads_its_answers_is_let_go() -> None:
    with Hosted(Model(), client_timeout_s=0.2) as hosted, hosted.connect() as client:
        big = post(body(*[[1.0, 2.0]] * 20_000))
        client.settimeout(1)
        with pytest.raises(OSError, match=r"timed out|reset|Broken"):
            collections.deque(map(client.sendall, [big] * 1_000))  # the kernels of both ends keep some 20 MB of them
        eventually(lambda: not hosted.server.connections)


def test_a_client_that_reads_nothing_of_a_small_answer_is_let_go_as_well() -> None:
    class Transport:
        written, closed, aborted = b"", False, False

        def write(self, data: bytes) -> None:
            self.written += data

        def close(self) -> None:  # of bytes that the client does not take, no end comes
            self.closed = True

        def abort(self) -> None:
            self.aborted = True

    async def scene() -> None:
        settings = Settings(idle_timeout_s=10, client_timeout_s=5)
        connection, transport = Connection(Server(Service(settings, Metrics()), settings)), Transport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        connection.data_received(b"GET /ping HTTP/1.1\r\n\r\n")
        assert transport.written.startswith(b"HTTP/1.1 503 ")
        for seconds, closed, aborted in ((9, False, False), (11, True, False), (15, True, False), (17, True, True)):
            connection.sweep(connection_began + seconds)
            assert (transport.closed, transport.aborted) == (closed, aborted)

    connection_began = time.perf_counter()
    asyncio.run(scene())


def test_the_bodies_of_all_connections_have_a_quarter_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_bytes", lambda: 800_000)
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: 90000\r\n\r\n"
    in_chunks = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % 90_000
    with Hosted(Model(), max_body_bytes=100_000) as hosted:
        first, second, third = hosted.connect(), hosted.connect(), hosted.connect()
        first.sendall(head)
        second.sendall(in_chunks)
        eventually(lambda: sum(one.held for one in hosted.server.connections) == 180_000)

        third.sendall(head)
        status, headers, content = read_answer(third)
        assert (status, headers["retry-after"]) == (429, "1")
        assert b"must have at most 200000 bytes together, got one of 90000 beside 180000; try again" in content
        first.close()
        eventually(lambda: sum(one.held for one in hosted.server.connections) == 90_000)
        assert hosted.exchange(head + b" " * 90_000 + b"GET /ping HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        second.close()
        third.close()


def test_tiny_chunks_may_not_be_many_times_the_body(hosted: Hosted) -> None:
    head = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = hosted.exchange(head + b"00000000000001;%b\r\n \r\n" % (b"x" * 230) * 5000)

    assert b"send larger chunks" in answer


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_body_in_chunks_may_be_cut_anywhere(cut: int) -> None:
    raw = b"5\r\nhello\r\n0b;a=b\r\n, you there\r\n0\r\nX: y\r\n\r\nGET"
    taken = ChunkedBody(100)
    ends = [taken.feed(part) for part in (raw[:cut], raw[cut:]) if part]

    end = ends[-1] if len(ends) > 1 else None
    if cut >= len(raw) - 3:
        assert ends[0] == len(raw) - 3
    else:
        assert (ends[0], end) == (None, len(raw) - 3 - cut)
    assert taken.body() == b"hello, you there"


def test_an_answer_is_one_write() -> None:
    class Transport:
        def __init__(self) -> None:
            self.written: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.written.append(data)

    async def scene() -> list[bytes]:
        service = Service(Settings(), Metrics())
        service.serve(Model(run_seconds=0.0))  # type: ignore[arg-type]
        connection, transport = Connection(Server(service, Settings())), Transport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        for _ in range(3):
            connection.data_received(post())
            await asyncio.sleep(0.01)
        return transport.written

    written = asyncio.run(scene())

    assert len(written) == 3
    assert all(one.startswith(b"HTTP/1.1 200 OK\r\n") and one.endswith(b"}}") for one in written)


def test_a_long_pipeline_is_read_only_as_far_as_it_is_answered_and_answered_to_its_end() -> None:
    engine, many = Engine(), 4000
    raw = b"".join(post(body([number, 0])) for number in range(many))
    model = Model(engine, run_seconds=0.0006)
    with Hosted(model, lanes=1, queue_limit=many, deadline_ms=60_000.0) as hosted, hosted.connect() as client:
        engine.gate.clear()
        sending = threading.Thread(target=client.sendall, args=(raw,))
        sending.start()
        assert engine.begun.acquire(timeout=10)
        eventually(lambda: hosted.service.under_way >= 128)
        taken = hosted.service.under_way
        engine.gate.set()
        received = b""
        while received.count(b"}}") < many:
            received += client.recv(65536)
        sending.join()

    assert taken < many
    assert [float(one) for one in re.findall(rb'"y":\[\[([0-9.]+),', received)] == [2.0 * one for one in range(many)]


def test_a_connection_that_was_refused_is_not_read_for_a_moment() -> None:
    class Wire:
        """A transport that counts."""

        paused = resumed = 0
        written = b""

        def write(self, data: bytes) -> None:
            self.written += data

        def pause_reading(self) -> None:
            self.paused += 1

        def resume_reading(self) -> None:
            self.resumed += 1

        def is_closing(self) -> bool:
            return False

    def refuse(request: Request, reply: Reply) -> None:
        assert request.method == "POST"
        reply(Answer(429))

    async def run() -> tuple[int, int, Wire]:
        service, transport = Service(Settings(), Metrics()), Wire()
        server = Server(service, Settings())
        server.handle = refuse
        connection = Connection(server)
        connection.connection_made(transport)  # type: ignore[arg-type]
        connection.data_received(post())
        before = transport.paused, transport.resumed
        while not transport.resumed:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        return *before, transport

    paused, resumed, transport = asyncio.run(run())

    assert (paused, resumed, transport.paused, transport.resumed) == (1, 0, 1, 1)
    assert transport.written.startswith(b"HTTP/1.1 429 ")
