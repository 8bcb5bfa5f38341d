"""Is a function whose process is forked as it would be in one begun anew?"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlplatform_cdk.local.adapters.lambda_functions import processes, zygote
from mlplatform_cdk.local.adapters.lambda_functions.environment import inherited
from mlplatform_cdk.local.adapters.lambda_functions.workers import TimedOut, Worker, WorkerEnded

pytestmark = pytest.mark.only_where(processes.FORKS)

PROBE = """
import boto3, importlib.util, logging, os, signal, sys, threading, time
calls = []
def handle(event, context):
    calls.append(event)
    logging.getLogger("app").warning("a line")
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "arguments": sys.argv,
        "path": sys.path,
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "signals": [str(signal.getsignal(one)) for one in sorted(signal.valid_signals())],
        "woken by": signal.set_wakeup_fd(-1),
        "threads": (threading.active_count(), len(os.listdir("/proc/self/task"))),
        "zone": time.tzname,
        "streams": [(one.encoding, one.line_buffering) for one in (sys.stdin, sys.stdout, sys.stderr)],
        "session": str(boto3.DEFAULT_SESSION),
        "may import": [importlib.util.find_spec(one) is not None for one in ("numpy", "zygote", "models_once")],
        "calls": len(calls),
    }
"""
SHAPE = """
import json, os, random, six
def handle(event, context):
    begun_anew = "bootstrap.py" in open("/proc/self/cmdline").read()
    return {"begun anew": begun_anew, "own six": hasattr(six, "OWN"), "number": random.random(), "pid": os.getpid()}
"""
REQUESTS = itertools.count()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Begins functions, and ends them."""
    begun: list[Worker] = []

    def begin(source: str, *, brings: str = "", **variables: str) -> Worker:
        app = tmp_path / "app.py"
        if not app.exists() or app.read_text() != source:  # one that begins may be reading it
            app.write_text(source)
        if brings:
            (tmp_path / brings).write_text("OWN = True\n")
        names = ("FUNCTION_NAME", "FUNCTION_VERSION", "LOG_GROUP_NAME", "LOG_STREAM_NAME", "FUNCTION_MEMORY_SIZE")
        given = {f"AWS_LAMBDA_{name}": "128" for name in names} | {"TZ": ":UTC"}
        given |= {"_HANDLER": "app.handle", "LAMBDA_TASK_ROOT": str(tmp_path)}
        begun.append(Worker("", inherited() | given | variables, tmp_path))
        return begun[-1]

    yield begin
    for worker in begun:
        worker.end()


def call(worker: Worker, *, seconds: float = 20.0) -> Any:
    request = {"request_id": str(next(REQUESTS)), "event": "{}", "seconds": seconds, "arn": "arn"}
    return json.loads(worker.call(request)[0]["payload"])


def test_it_finds_the_same_around_it_beside_others(
    begin: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(begin(PROBE))
    forked = begin(PROBE, SETTING="blue")
    with monkeypatch.context() as on_macos:
        on_macos.setattr(processes, "FORKS", False)
        anew = begin(PROBE, SETTING="blue")

    found = call(forked)

    assert found == call(anew)
    assert (found["environment"]["SETTING"], found["calls"], found["threads"]) == ("blue", 1, [1, 1])
    assert (found["session"], found["may import"]) == ("None", [False, False, False])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, (False, False), id="nothing"),
        pytest.param({"brings": "six.py"}, (True, True), id="a module of boto3's runtime of its own"),
        pytest.param({"LC_ALL": "C"}, (True, False), id="a setting that Python reads when it begins"),
    ],
)
def test_it_begins_anew_where_a_fork_would_be_another(
    begin: Callable[..., Worker], given: dict[str, str], expected: tuple[bool, bool]
) -> None:
    found = call(begin(SHAPE, **given))

    assert (found["begun anew"], found["own six"]) == expected


def test_two_draw_different_numbers(begin: Callable[..., Worker]) -> None:
    assert call(begin(SHAPE))["number"] != call(begin(SHAPE))["number"]


@pytest.mark.parametrize(("does", "ends_with"), [("os._exit(3)", "3"), ("os.kill(os.getpid(), 11)", "-11")])
def test_its_end_is_told(begin: Callable[..., Worker], does: str, ends_with: str) -> None:
    with pytest.raises(WorkerEnded) as ended:
        call(begin(f"import os\ndef handle(e, c):\n    {does}\n"))

    assert str(ended.value) == ends_with


def test_one_that_takes_too_long_is_gone_and_no_other(begin: Callable[..., Worker]) -> None:
    other = begin(SHAPE)
    pid = call(other)["pid"]
    slow = begin("import os, time\ndef handle(e, c):\n    os.write(2, b'%d\\n' % os.getpid())\n    time.sleep(60)\n")

    with pytest.raises(TimedOut):
        call(slow, seconds=0.5)

    assert not psutil.pid_exists(int(slow.lines[0]))
    assert call(other)["pid"] == pid


def test_where_the_process_that_forks_was_killed_the_next_comes_from_another(begin: Callable[..., Worker]) -> None:
    before = begin(SHAPE)
    call(before)
    (forks,) = (one for one in psutil.Process().children() if zygote.__file__ in one.cmdline())

    forks.kill()
    forks.wait()

    assert call(begin(SHAPE))["begun anew"] is False
    before.end()


def test_the_process_that_forks_ends_with_the_one_that_asks_it_and_without_a_word() -> None:
    program = """
import boto3, psutil, sys
from pathlib import Path
from mlplatform_cdk.local.adapters.lambda_functions import forks
forks.the_zygote((sys.executable, "-I", "-S"), str(Path(boto3.__file__).parents[1]))
print(*(one.pid for one in psutil.Process().children()))
"""

    ended = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)

    assert ended.stderr == ""
    assert not psutil.pid_exists(int(ended.stdout))
