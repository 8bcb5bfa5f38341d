"""What must hold for any server of the image, and what it costs: asked from outside, as a host asks."""

import http.client
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_WAIT_S = 300.0  # an emulated processor takes its time
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was seen.

    :param first_answer_s: from the start of the process to its first prediction.
    :param resident_bytes: memory after the predictions, all processes of the server.
    :param answer: what the model's first golden request was answered with.
    :param furthest: the most that a number of an answer differs from the golden one.
    :param exit_code: after SIGTERM.
    :param drained_s: from SIGTERM to its end.
    :param status: of ``/proc/<pid>/status``: who it runs as, and with which rights.
    :param log: its standard output and error.
    """

    first_answer_s: float
    resident_bytes: int
    answer: dict[str, Any]
    furthest: float
    exit_code: int
    drained_s: float
    status: dict[str, str]
    log: str


def probe(process: subprocess.Popen[str], *, pid: int, started: float, model: Path) -> Report:
    """Ask for the golden requests of ``model``, end the server with a request under way, and look at it meanwhile.

    :param process: what was started; its standard output says the port.
    :param pid: the server itself.
    :param started: ``time.perf_counter`` at its start.
    """
    assert process.stdout
    first = process.stdout.readline()
    port = int(json.loads(first)["port"])
    golden = json.loads((model / "manifest.json").read_text(encoding="utf-8"))["golden_requests"]
    _wait_until_ready(port, process, pid)
    answers = [_ask(port, golden[0]["inputs"])]
    elapsed = time.perf_counter() - started
    answers += [_ask(port, request["inputs"]) for request in golden]
    status, resident = _status(pid), resident_bytes(pid)
    waiting = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT_S)
    waiting.request("GET", "/ping")  # so that the connection is an accepted one
    waiting.getresponse().read()
    waiting.request("POST", "/invocations", json.dumps({"inputs": golden[0]["inputs"]}))
    until = time.perf_counter()
    os.kill(pid, signal.SIGTERM)
    last = waiting.getresponse()
    answer = json.loads(last.read())
    if last.status != http.client.OK:
        raise AssertionError(f"an accepted request must be answered after SIGTERM, got {last.status}: {answer}")
    rest, _ = process.communicate(timeout=_WAIT_S)
    return Report(
        first_answer_s=elapsed,
        resident_bytes=resident,
        answer=answers[0],
        furthest=max(map(_distance, answers[1:], golden)),
        exit_code=process.returncode,
        drained_s=time.perf_counter() - until,
        status=status,
        log=first + rest,
    )


def resident_bytes(pid: int) -> int:
    """Resident memory of ``pid`` and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    own = int(_status(pid)["VmRSS"].split()[0]) * 1024
    return own + sum(resident_bytes(int(child)) for child in children)


def _wait_until_ready(port: int, process: subprocess.Popen[str], pid: int) -> None:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT_S)
        try:
            connection.request("GET", "/ping")
            status = connection.getresponse().status
        except OSError:
            break
        finally:
            connection.close()
        if status == http.client.OK:
            return
        if status != _UNAVAILABLE:
            raise AssertionError(f"/ping must answer 200 or 503, got {status}")
        time.sleep(0.005)
    if process.poll() is None:
        os.kill(pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=_WAIT_S)
    raise TimeoutError(f"the server did not get ready; it said: {said}")


def _ask(port: int, inputs: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT_S)
    try:
        connection.request("POST", "/invocations", json.dumps({"inputs": inputs}))
        response = connection.getresponse()
        body: dict[str, Any] = json.loads(response.read())
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise AssertionError(f"a golden request must be answered, got {response.status}: {body}")
    return body


def _distance(answer: dict[str, Any], golden: dict[str, Any]) -> float:
    pairs = ((answer["outputs"][name], known) for name, known in golden["outputs"].items())
    # As float32, which the model computes: JSON has the shortest digits of one, and the manifest those of a float64.
    return max(float(np.max(np.abs(np.subtract(came, known, dtype=np.float32)))) for came, known in pairs)


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}
