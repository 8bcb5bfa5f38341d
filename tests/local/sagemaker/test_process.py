"""Does anything outlive the embedded AWS?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local import process
from tests.local.sagemaker.conftest import wait_for

FOREVER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
PARENT = """
import sys, time
from pathlib import Path
from mlplatform_cdk.local import process
folder = Path(sys.argv[1])
for number in range(2):
    child = process.start(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        environment={}, workdir=folder, log_file=folder / "log",
    )
    print(child.pid, flush=True)
time.sleep(600)
"""


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_what_a_killed_server_had_started_dies_with_it(tmp_path: Path) -> None:
    server = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    children = [int(server.stdout.readline()) for _ in range(2)]
    assert all(_lives(pid) for pid in children)

    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()

    wait_for(lambda: [pid for pid in children if _lives(pid)], lambda left: not left, seconds=10)


def test_a_program_gets_only_the_environment_that_it_is_given(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; print(sorted(os.environ))"]

    child = process.start(command, environment={"ONLY": "1"}, workdir=tmp_path, log_file=tmp_path / "log")

    assert child.wait(10) == 0
    printed = (tmp_path / "log").read_text()
    assert "'ONLY'" in printed
    assert "'PATH'" not in printed


def test_a_killed_program_ends_as_docker_says(tmp_path: Path) -> None:
    child = process.start(FOREVER, environment={}, workdir=tmp_path, log_file=tmp_path / "log")
    wait_for((tmp_path / "log").read_text, bool)

    assert child.stop() == 128 + signal.SIGTERM
    assert child.exit_code() == 143


def test_what_is_being_started_while_all_are_ended_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roll, begun, started = process._Roll(), threading.Event(), []
    popen = subprocess.Popen

    def slowly(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.set()
        time.sleep(0.1)  # a large process forks slowly
        return popen(*arguments, **options)

    monkeypatch.setattr(process.subprocess, "Popen", slowly)
    monkeypatch.setattr(roll, "_tell", lambda _: None)
    starting = threading.Thread(target=lambda: started.append(roll.begin(FOREVER, stdout=subprocess.DEVNULL)))
    starting.start()
    begun.wait()

    roll.end_all()

    starting.join()
    assert started[0].wait(10) == -signal.SIGKILL
    with pytest.raises(RuntimeError, match="must be started before this process ends"):
        roll.begin(FOREVER)
