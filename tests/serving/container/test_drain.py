"""Is every request that was accepted answered when the container is told to end?"""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tests.serving.container.conftest import Serving
from tests.serving.container.standins import Engine, Hosted, Model, body, eventually, post, read_all, read_answer


def test_requests_under_way_are_answered_ping_says_503_and_then_the_server_ends() -> None:
    engine = Engine()
    with Hosted(Model(engine), lanes=1) as hosted:
        engine.gate.clear()
        clients = [hosted.connect() for _ in range(3)]
        for number, client in enumerate(clients):
            client.sendall(post(body([number, 0])))
        assert engine.begun.acquire(timeout=10)
        eventually(lambda: hosted.service.under_way == 3)

        hosted.drain()
        eventually(lambda: hosted.service.draining)
        pinged = hosted.exchange(b"GET /ping HTTP/1.1\r\n\r\n")
        engine.gate.set()
        answers = [read_all(client) for client in clients]

        assert hosted.wait() is True
        assert pinged.startswith(b"HTTP/1.1 503 ")
        for number, answer in enumerate(answers):
            head, _, content = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"\r\nConnection: close\r\n" in head
            assert json.loads(content)["outputs"]["y"] == [[2.0 * number, 0.0]]
        for client in clients:
            client.close()


def test_a_client_that_connects_or_goes_on_while_the_container_drains_is_answered() -> None:
    engine = Engine()
    with Hosted(Model(engine), lanes=1) as hosted:
        engine.gate.clear()
        busy, begun, pipelined = hosted.connect(), hosted.connect(), hosted.connect()
        busy.sendall(post())
        begun.sendall(post()[:-5])
        assert engine.begun.acquire(timeout=10)

        hosted.drain()
        eventually(lambda: hosted.service.draining)
        late = hosted.connect()
        late.sendall(post())
        begun.sendall(post()[-5:])
        pipelined.sendall(post() + post() + post())
        eventually(lambda: hosted.service.under_way == 6)
        engine.gate.set()

        assert read_answer(busy)[0] == read_answer(late)[0] == read_answer(begun)[0] == 200
        assert read_all(pipelined).count(b"HTTP/1.1 200 OK") == 3
        assert hosted.wait() is True
        for client in (busy, begun, pipelined, late):
            client.close()


def test_the_server_listens_on_while_clients_come_though_each_is_answered_at_once() -> None:
    with Hosted(Model(run_seconds=0.0)) as hosted:
        hosted.drain()
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert hosted.exchange(post()).startswith(b"HTTP/1.1 200 OK")

        assert hosted.wait() is True


def test_the_server_ends_though_a_client_stays_connected_and_silent() -> None:
    with Hosted(Model()) as hosted, hosted.connect() as client:
        client.sendall(post())
        assert read_answer(client)[0] == 200

        hosted.drain()

        assert hosted.wait() is True
        assert read_all(client) == b""


def test_a_request_that_never_ends_does_not_keep_the_server_beyond_its_time() -> None:
    with Hosted(Model(), drain_timeout_s=0.3) as hosted, hosted.connect() as client:
        client.sendall(post()[:-5])
        eventually(lambda: any(one.busy for one in hosted.server.connections))

        hosted.drain()

        assert hosted.wait() is False


def test_a_hook_that_does_not_end_does_not_keep_the_process(
    base: Path, start: Callable[..., Serving], tmp_path: Path
) -> None:
    shutil.copytree(base / "model", tmp_path / "model")
    code = "import time\ndef stream(outputs):\n yield b'a'\n time.sleep(60)\n yield b'b'"
    (tmp_path / "model" / "hooks.py").write_text(code)
    serving = start(tmp_path, DRAIN_TIMEOUT_S="0.2").wait_until_ready()
    connection = serving.connect()
    rows = json.loads((tmp_path / "model" / "manifest.json").read_text())["golden_requests"][0]["inputs"]
    connection.request("POST", "/invocations", json.dumps({"inputs": rows}), {"Content-Type": "application/json"})
    assert connection.getresponse().read(1) == b"a"

    code, log = serving.stop()

    assert (code, log[-1]["all_requests_answered"]) == (0, False)
