"""Does the server answer as SageMaker expects, and as its manifest says?"""

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from tests.serving.container.conftest import Serving

JSON = {"Content-Type": "application/json"}
Reply = tuple[int, Any]


@pytest.fixture(scope="session")
def manifest(base: Path) -> Manifest:
    return read_folder(base / "model")


@pytest.fixture(scope="session")
def ask(serving: Serving) -> Callable[..., Reply]:
    def run(body: object, headers: dict[str, str] = JSON, path: str = "/invocations", method: str = "POST") -> Reply:
        connection = serving.connect()
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        kind = response.headers["Content-Type"]
        return response.status, json.loads(text) if kind == "application/json" and text else text

    return run


def row_of(manifest: Manifest) -> list[float | None]:
    row: list[float | None] = manifest.golden_requests[0].inputs["features"][0]
    return row


def test_the_server_answers_every_golden_request(ask: Callable[..., Reply], manifest: Manifest) -> None:
    for golden in manifest.golden_requests:
        status, answer = ask(golden.body())

        assert (status, golden.check(answer)) == (200, [])
        assert answer["labels"] == [manifest.labels[index] for index in answer["outputs"]["label"]]


def test_instances_and_csv_mean_the_same_as_inputs(ask: Callable[..., Reply], manifest: Manifest) -> None:
    rows = manifest.golden_requests[-1].inputs["features"]
    expected = ask({"inputs": {"features": rows}})
    table = "\n".join(",".join("" if value is None else repr(value) for value in row) for row in rows)

    assert ask({"instances": rows}) == expected
    assert ask(table, {"Content-Type": "text/csv"}) == expected
    assert ask(",".join(manifest.inputs[0].columns) + "\r\n" + table, {"Content-Type": "text/csv; charset=utf-8"}) == (
        expected
    )


def test_the_answer_comes_in_the_format_that_accept_prefers(ask: Callable[..., Reply], manifest: Manifest) -> None:
    body = manifest.golden_requests[0].body()
    for accept in ("text/csv", "application/json;q=0.1, text/csv", "text/*"):
        status, text = ask(body, JSON | {"Accept": accept})
        label, *probabilities = text.strip().split(",")
        assert status == 200
        assert label in manifest.labels
        assert sum(map(float, probabilities)) == pytest.approx(1, abs=1e-5)
    for accept in ("*/*", "application/*", "image/png, application/json", ""):
        assert ask(body, JSON | {"Accept": accept})[1]["outputs"]


def test_a_missing_value_is_null_and_gets_the_median(ask: Callable[..., Reply], manifest: Manifest) -> None:
    status, answer = ask({"instances": [[None] * 30]})

    assert (status, len(answer["labels"])) == (200, 1)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", "the body must be JSON, got something else ("),
        ("[]", 'the body must be {"inputs": {...}} with features, got no object'),
        ({"input": 1}, 'the body must be {"inputs": {...}} with features, got an object with input'),
        ({"inputs": {"x": 1}}, 'the body must be {"inputs": {...}} with features, got inputs x'),
        ({"instances": []}, "features must have at least one row, got none"),
        ({"instances": [[1, 2], [3]]}, "features must have rows of one length, got rows that differ"),
        ({"instances": [[1, 2]]}, "features must have the shape batch x 30, got 1 x 2"),
        ({"instances": 5}, "features must have the shape batch x 30, got a number"),
        ({"instances": [["1"] * 30]}, "features must hold numbers, got "),
        ({"instances": [[True, *[None] * 29]]}, "features must hold numbers, got True"),
        ({"instances": [[1e39] * 30]}, "features must hold numbers that fit float32, got 1e+39"),
        ('{"instances": [[NaN]]}', "the body must hold finite numbers (null where one is missing), got NaN"),
        ("[" * 50000, "the body must be JSON"),
        (b"\xff", "the body must be text in UTF-8, got bytes that are not (invalid start byte)"),
    ],
)
def test_a_bad_body_gets_400_and_one_sentence(ask: Callable[..., Reply], body: object, sentence: str) -> None:
    status, answer = ask(body)

    assert status == 400
    assert answer["error"].startswith(sentence)


def test_bad_csv_names_the_row(ask: Callable[..., Reply]) -> None:
    kind = {"Content-Type": "text/csv"}

    assert ask("1,2\n3,blue\n", kind) == (400, {"error": "row 1 of the body must have 30 cells, got 2"})
    assert ask("1" + ",2" * 28 + ",blue\n", kind) == (400, {"error": "row 1 of the body must hold numbers, got 'blue'"})
    assert ask("", kind) == (400, {"error": "features must have at least one row, got none"})
    assert ask(",".join(["inf"] * 30), kind)[0] == 400


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (415, {"headers": {"Content-Type": "image/png"}}),
        (406, {"headers": JSON | {"Accept": "image/png"}}),
        (406, {"headers": JSON | {"Accept": "application/json;q=0"}}),
        (404, {"path": "/"}),
        (405, {"method": "GET"}),
        (405, {"method": "DELETE", "path": "/ping"}),
        (413, {"body": "x" * 100001}),
    ],
)
def test_what_is_no_question_to_this_model_gets_its_status(
    ask: Callable[..., Reply], status: int, request_: dict[str, Any]
) -> None:
    came, answer = ask(**{"body": "{}", **request_})

    assert came == status
    assert " must " in answer["error"]


def test_one_connection_carries_many_requests_even_after_a_bad_one(serving: Serving, manifest: Manifest) -> None:
    connection = serving.connect()
    socket_used = None
    for body, status in (("{", 400), (json.dumps(manifest.golden_requests[0].body()), 200)) * 5:
        connection.request("POST", "/invocations", body, JSON)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        socket_used = socket_used or connection.sock
        assert connection.sock is socket_used
    connection.close()


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(serving: Serving, manifest: Manifest) -> None:
    body = json.dumps(manifest.golden_requests[0].body()).encode()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=5) as raw:
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 100 Continue")
        raw.sendall(body)
        assert raw.recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
)
def test_what_is_not_http_is_refused_and_the_server_lives_on(serving: Serving, head: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=5) as raw:
        raw.sendall(head)
        answer = b""
        while chunk := raw.recv(65536):
            answer += chunk
    serving.wait_until_ready()

    assert f" {status} ".encode() in answer.split(b"\r\n")[0]
    assert b'{"error":"' in answer


def test_many_callers_at_once_each_get_their_own_answer(serving: Serving, manifest: Manifest) -> None:
    wrong: list[object] = []

    def call(number: int) -> None:
        golden = manifest.golden_requests[number % len(manifest.golden_requests)]
        connection = serving.connect()
        for _ in range(20):
            connection.request("POST", "/invocations", json.dumps(golden.body()), JSON)
            wrong.extend(golden.check(json.loads(connection.getresponse().read())))
        connection.close()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_sigterm_lets_the_request_under_way_end_and_then_the_process(
    base: Path, start: Callable[..., Serving], manifest: Manifest
) -> None:
    serving = start(base).wait_until_ready()
    body = json.dumps(manifest.golden_requests[0].body()).encode()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as raw:
        raw.sendall(f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:9])
        time.sleep(0.3)
        serving.process.terminate()
        time.sleep(0.3)
        raw.sendall(body[9:])
        answer = b""
        while chunk := raw.recv(65536):
            answer += chunk
    code, log = serving.wait()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer
    assert (code, log[-1]["all_requests_answered"]) == (0, True)
