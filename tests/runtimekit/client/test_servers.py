"""Does the client keep its word over real connections?"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.credentials import Credentials

from mlplatform_cdk.runtimekit.client import (
    Answer,
    Breaking,
    CallFailed,
    CallRefused,
    Hedging,
    Iam,
    Limits,
    RegionClient,
    Unsigned,
)
from mlplatform_cdk.runtimekit.client.http_wire import HttpWire
from tests.runtimekit.client.servers import Behave, Handler, Server, echo

Start = Callable[..., Server]
Connect = Callable[..., RegionClient]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Server] = []

    def one(region: str, behave: Behave = echo, **options: object) -> Server:
        started.append(Server(region, behave, **options))  # type: ignore[arg-type]
        return started[-1]

    yield one
    for server in started:
        server.kill()


@pytest.fixture
def connect() -> Iterator[Connect]:
    made: list[RegionClient] = []

    def one(*servers: Server, **options: object) -> RegionClient:
        urls = {server.region: server.url for server in servers}
        made.append(RegionClient(urls, **{"authorization": Unsigned(), **options}))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for client in made:
        client.close()


def told(answer: Answer) -> tuple[str, str]:
    content = json.loads(answer.body)
    return content["region"], content["body"]


def outcomes(answer: Answer) -> list[tuple[str, str]]:
    return [(one.region, one.outcome) for one in answer.attempts]


def test_no_request_is_lost_when_a_region_is_killed_under_constant_load(start: Start, connect: Connect) -> None:
    a, b = start("a"), start("b")
    client = connect(a, b, prefer=["a"])
    halfway, threads, calls = threading.Event(), 8, 150

    def load(caller: int) -> list[tuple[str, str]]:
        answers = []
        for call in range(calls):
            answers.append(told(client.invoke(f"{caller}-{call}")))
            if caller == 0 and call == calls // 3:
                halfway.set()
        return answers

    with ThreadPoolExecutor(threads) as callers:
        running = [callers.submit(load, caller) for caller in range(threads)]
        assert halfway.wait(30)
        a.kill()
        answered = [one for each in running for one in each.result()]

    assert [body for _, body in answered] == [f"{caller}-{call}" for caller in range(threads) for call in range(calls)]
    assert {region for region, _ in answered[:10]} == {"a"}
    assert answered[-1][0] == "b"
    made = threads * calls
    assert len(a.requests) + len(b.requests) <= made * 1.2 + 100
    assert len(a.connections) + len(b.connections) <= 4 * threads


def test_a_region_that_comes_back_is_used_again(start: Start, connect: Connect) -> None:
    a, b = start("a"), start("b")
    client = connect(a, b, prefer=["a"], breaking=Breaking(rest_s=0.01, longest_rest_s=0.02, return_s=0.05))
    a.kill()
    assert {told(client.invoke("x"))[0] for _ in range(20)} == {"b"}

    start("a", port=a.server_port)
    while {status.region: status.state for status in client.status()}["a"] != "closed":
        client.invoke("x")

    assert told(client.invoke("x"))[0] == "a"


def test_a_region_that_says_that_it_was_drained_is_not_asked(start: Start, connect: Connect) -> None:
    a, b = start("a"), start("b")
    a.health = (503, {"status": "drained"})

    assert {told(connect(a, b, prefer=["a"]).invoke("x"))[0] for _ in range(3)} == {"b"}
    assert a.requests == []


def test_a_slow_region_is_hedged_and_its_connection_closed(start: Start, connect: Connect) -> None:
    slow, hung_up = threading.Event(), threading.Event()

    def stalls(handler: Handler, body: bytes) -> None:
        if slow.is_set():
            hung_up.set() if handler.connection.recv(1) == b"" else None
            handler.close_connection = True
        else:
            echo(handler, body)

    a, b = start("a", stalls), start("b")
    client = connect(a, b, prefer=["a"], hedging=Hedging(), limits=Limits(deadline_s=60, attempt_s=60))
    for _ in range(30):
        client.invoke("x")
    slow.set()

    answer = client.invoke("x")

    assert outcomes(answer) == [("b", "answered 200"), ("a", "was not waited for")]
    assert hung_up.wait(30)


def test_answers_are_never_mixed_up_when_losers_are_cut_off(start: Start, connect: Connect) -> None:
    chance = random.Random(7)

    def dawdles(handler: Handler, body: bytes) -> None:
        if chance.random() < 0.3:
            time.sleep(0.02)
        echo(handler, body)

    servers = [start(name, dawdles) for name in "abc"]
    client = connect(*servers, hedging=Hedging(quantile=0.5, share=1, reserve=1000, least_s=0.001))

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda number: client.invoke(str(number)), range(600)))

    assert [told(one)[1] for one in answers] == [str(number) for number in range(600)]
    assert any(attempt.hedge for one in answers for attempt in one.attempts)


def says(status: int) -> Behave:
    return lambda handler, _: handler.say(status, {"message": "no"})


def breaks_off(handler: Handler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2")
    handler.wfile.flush()
    handler.reset()


def ends_early(handler: Handler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[1, 2,\r\n")
    handler.close_connection = True


def hangs_up(handler: Handler, _: bytes) -> None:
    handler.close_connection = True


def babbles(handler: Handler, _: bytes) -> None:
    handler.wfile.write(b"SSH-2.0-nonsense\r\n")
    handler.close_connection = True


def trickles(handler: Handler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _byte in range(10000):
        handler.wfile.write(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("behave", "outcome"),
    [
        (says(500), "answered 500"),
        (says(503), "answered 503"),
        (breaks_off, "broke off in the middle of its answer"),
        (ends_early, "broke off in the middle of its answer"),
        (hangs_up, "closed the connection without an answer"),
        (babbles, "answered what is no HTTP: SSH-2.0-nonsense"),
        (trickles, "did not answer"),
    ],
)
def test_whatever_a_region_does_wrong_another_one_answers(
    start: Start, connect: Connect, behave: Behave, outcome: str
) -> None:
    client = connect(start("a", behave), start("b"), limits=Limits(connect_s=0.2, attempt_s=0.3))

    answer = client.invoke("x", deadline_s=60)

    (region, said), second = outcomes(answer)
    assert (region, said.strip()) == ("a", outcome)
    assert second == ("b", "answered 200")


def test_a_refusal_is_told_and_tried_nowhere_else(start: Start, connect: Connect) -> None:
    b = start("b")

    with pytest.raises(CallRefused, match=r'with 400: \{"message": "no"\}'):
        connect(start("a", says(400)), b).invoke("x")

    assert b.requests == []


def test_a_refusal_of_a_request_that_was_not_read_to_its_end_is_told(
    start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = http.client.HTTPConnection.send

    def only_the_head(self: http.client.HTTPConnection, content: bytes) -> None:
        if content == b"xxx":
            raise BrokenPipeError
        send(self, content)

    monkeypatch.setattr(http.client.HTTPConnection, "send", only_the_head)
    a = start("a", says(413))
    a.reads = False

    with pytest.raises(CallRefused, match="a refused the request with 413"):
        connect(a).invoke(b"xxx")


def test_what_is_sent_is_what_was_asked(start: Start, connect: Connect) -> None:
    a = start("a")

    answer = connect(a).invoke("1,2", content_type="text/csv", headers={"X-Trace": "t"}, idempotency_key="k-1")

    assert told(answer) == ("a", "1,2")
    assert (answer.content_type, answer.request_id) == ("application/json", "r-1")
    assert a.requests == [
        {
            "Host": f"127.0.0.1:{a.server_port}",
            "Accept-Encoding": "identity",
            "Content-Length": "3",
            "Content-Type": "text/csv",
            "Accept": "application/json",
            "X-Idempotency-Key": "k-1",
            "X-Amzn-SageMaker-Inference-Id": "k-1",
            "X-Trace": "t",
        }
    ]


def test_calls_one_after_the_other_use_one_connection(start: Start, connect: Connect) -> None:
    a = start("a")
    client = connect(a)

    for _ in range(20):
        client.invoke("x")

    assert (len(a.requests), len(a.connections)) == (20, 1)


def test_a_connection_that_the_region_closed_meanwhile_costs_no_attempt(start: Start, connect: Connect) -> None:
    def once(handler: Handler, body: bytes) -> None:
        echo(handler, body)
        handler.close_connection = True

    a = start("a", once)
    client = connect(a)

    for _ in range(5):
        assert len(client.invoke("x").attempts) == 1
        with a.lock:
            ended = a.connections[-1]
        while ended.fileno() != -1:
            time.sleep(0.001)

    assert len(a.connections) == 5


def test_a_name_can_be_led_to_an_address_as_a_rehearsal_does(start: Start) -> None:
    a, name = start("a"), "a.models.example.com"
    wire = HttpWire(leads_to={name: f"127.0.0.1:{a.server_port}"})

    with RegionClient({"a": f"http://{name}"}, authorization=Iam(Credentials("AK", "SK")), wire=wire) as client:
        answers = [client.invoke("x") for _ in range(3)]

    assert [told(answer) for answer in answers] == [("a", "x")] * 3
    assert {request["Host"] for request in a.requests} == {name}
    assert len(a.connections) == 1


def test_a_look_up_that_hangs_holds_no_caller(start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    b, released, resolve = start("b"), threading.Event(), socket.getaddrinfo

    def hangs(host: str, *rest: object, **options: object) -> object:
        if host == "nowhere.example.com":
            released.wait()
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    urls = {"a": "https://nowhere.example.com", "b": b.url}
    with RegionClient(urls, authorization=Unsigned(), limits=Limits(connect_s=0.1, attempt_s=0.1)) as client:
        answer = client.invoke("x", deadline_s=60)
        released.set()

    assert outcomes(answer) == [("a", "did not answer"), ("b", "answered 200")]


def test_a_name_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with (
        RegionClient({"a": "https://nowhere.example.com"}, authorization=Unsigned()) as client,
        pytest.raises(CallFailed, match=r"a has no address: .*Name or service not known"),
    ):
        client.invoke("x")
