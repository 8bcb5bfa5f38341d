"""Do several processes on one port behave as one container?"""

import asyncio
import json
import re
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import psutil

from mlplatform_cdk.runtimekit.manifest import read_folder
from mlplatform_cdk.serving.container.messages import Request
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving.container.conftest import Serving
from tests.serving.container.standins import Model, eventually


def ask(serving: Serving, body: str) -> int:
    connection = serving.connect()
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def answered(serving: Serving) -> int:
    connection = serving.connect()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r'mlplatform_serving_stage_seconds_count\{stage="infer"\} (\d+)', text)
    assert found
    return int(found[1])


def children(serving: Serving) -> list[psutil.Process]:
    return psutil.Process(serving.process.pid).children()


def test_processes_share_the_port_count_together_and_end_together(base: Path, start: Callable[..., Serving]) -> None:
    body = json.dumps(read_folder(base / "model").golden_requests[0].body())
    serving = start(base, PROCESSES="2")
    eventually(lambda: len(children(serving)) == 2)
    started = children(serving)

    serving.wait_until_ready()  # both are: a connection goes to either, by chance
    before = answered(serving)
    assert [ask(serving, body) for _ in range(40)] == [200] * 40

    assert answered(serving) == before + 40
    code, log = serving.stop()
    assert code == 0
    assert [line["all_requests_answered"] for line in log if line["message"] == "stopped"] == [True, True]
    assert not any(one.is_running() for one in started)


def test_a_ping_is_answered_well_only_while_every_process_is_ready() -> None:
    metrics = Metrics(2)
    other = copy(metrics)  # shares the memory, as a fork does
    other.attach(1)

    async def pings() -> list[int]:
        one, two = Service(Settings(), metrics), Service(Settings(), other)
        ping = Request("GET", "/ping", {}, b"", 0.0)
        found = []
        for change in (lambda: one.serve(model), lambda: two.serve(model), two.drain, lambda: two.serve(model)):
            change()
            found += [(await service.ask(ping)).status for service in (one, two)]
        return found

    model: Any = Model()

    assert asyncio.run(pings()) == [503, 503, 200, 200, 503, 503, 503, 503]


def test_a_process_that_dies_ends_the_container_so_that_its_host_starts_it_again(
    base: Path, start: Callable[..., Serving]
) -> None:
    serving = start(base, PROCESSES="2")
    eventually(lambda: len(children(serving)) == 2)

    children(serving)[0].kill()

    assert serving.wait()[0] != 0


def test_processes_end_with_the_one_that_started_them_however_it_ends(
    base: Path, start: Callable[..., Serving]
) -> None:
    serving = start(base, PROCESSES="2")
    eventually(lambda: len(children(serving)) == 2)
    started = children(serving)

    serving.process.kill()

    eventually(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in started))


def test_a_manifest_may_ask_for_processes(base: Path, tmp_path: Path, start: Callable[..., Serving]) -> None:
    (tmp_path / "model").mkdir()
    for file in (base / "model").iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "model" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"serving": {"processes": 2}}), encoding="utf-8")

    serving = start(tmp_path)

    eventually(lambda: len(children(serving)) == 2)
    assert serving.stop()[0] == 0
