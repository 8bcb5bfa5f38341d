"""Who answers where root started the container, as SageMaker does?"""

import http.client
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.settings import SettingError
from mlplatform_cdk.serving.container import leave_root as module
from mlplatform_cdk.serving.container.leave_root import leave_root
from tests.serving import small_models

NOBODY = "10001:10001"
SOURCE = Path(__file__).parents[3] / "src"
as_root = pytest.mark.only_where(os.getuid() == 0, "only root can leave root")


def open_python() -> str | None:
    """A Python of this version that everybody may run, with our packages: ours, or the system's."""
    ours = [entry for entry in sys.path if entry.endswith("site-packages")]
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        if not Path(python).exists():
            continue
        told = subprocess.check_output([python, "-I", "-c", "import sys; print(*sys.path, sep='\\n')"], text=True)
        paths = [Path(entry).resolve() for entry in (python, str(SOURCE), *ours, *told.split()) if Path(entry).exists()]
        if all(one.stat().st_mode & stat.S_IXOTH for path in paths for one in (path, *path.parents)):
            return python
    return None


PYTHON = open_python()
python_is_open = pytest.mark.only_where(PYTHON is not None, "this machine's Python is for its owner only")


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that everybody may read, with a model; pytest's own are for their owner only."""
    with tempfile.TemporaryDirectory(prefix="leave-root-") as folder:
        Path(folder).chmod(0o755)
        small_models.save(Path(folder, "model"))
        yield Path(folder)


@pytest.fixture
def started(base: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """Starts the server; it, and the first line of its log."""
    running: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        packages = os.pathsep.join([str(SOURCE), *(entry for entry in sys.path if entry.endswith("site-packages"))])
        process = subprocess.Popen(
            [PYTHON or sys.executable, "-m", "mlplatform_cdk.serving.container", "serve"],
            env={"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": "0", "BIND_HOST": "127.0.0.1"}
            | {"PYTHONPATH": packages, "PATH": os.defpath, "LEAVE_ROOT_FOR": NOBODY, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout
        return process, json.loads(process.stdout.readline())

    yield start
    for process in running:
        process.kill()
        process.communicate()


def users_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def answer(port: int, body: str) -> dict[str, Any]:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        got = connection.getresponse()
        told: dict[str, Any] = json.loads(got.read())
        connection.close()
        if got.status == 200:
            return told
        assert got.status == 503, told
        time.sleep(0.05)
    raise AssertionError("the server did not get ready")


@as_root
@python_is_open
@pytest.mark.only_where(Path("/proc/self/status").exists(), "the kernel tells who runs on Linux only")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_nobody_answers_where_nobody_can_read_the_model(
    started: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]], processes: str
) -> None:
    process, line = started(PROCESSES=processes)
    rows = json.dumps({"inputs": {"x": small_models.rows(2).tolist()}})

    seen = users_of(process.pid)

    assert len(answer(line["port"], rows)["outputs"]["label"]) == 2
    assert (seen["Uid"], seen["Gid"], seen["Groups"]) == (["10001"] * 4, ["10001"] * 4, [])
    assert int(seen["CapEff"][0], 16) == int(seen["CapPrm"][0], 16) == 0
    assert (line["uid"], "root_because" in line) == (10001, False)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@as_root
@python_is_open
def test_root_answers_where_the_model_is_for_root_only_and_says_why(
    base: Path, started: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]
) -> None:
    closed = base / "model" / "model.fp32.onnx"
    closed.chmod(0o600)

    _, line = started()

    assert line["uid"] == 0
    assert line["root_because"] == f"reading {closed} is for root only: Permission denied"
    assert answer(line["port"], json.dumps({"inputs": {"x": small_models.rows(1).tolist()}}))["outputs"]


@as_root
@python_is_open
def test_root_answers_where_captures_go_to_a_folder_of_roots(
    base: Path, started: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]
) -> None:
    (base / "captures").mkdir(mode=0o755)

    _, line = started(CAPTURE_SHARE="1", CAPTURE_TARGET=str(base / "captures"))

    assert line["root_because"] == f"writing {base / 'captures'} is for root only: permission denied"


@as_root
def test_models_that_come_later_are_roots_to_read(
    base: Path, started: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]
) -> None:
    shutil.move(base / "model", base / "models")

    assert started(SAGEMAKER_MULTI_MODEL="true")[1]["uid"] == 0


def test_whoever_is_not_root_stays_who_he_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(module, "_become", lambda *_: pytest.fail("nothing to leave"))

    assert leave_root(NOBODY, reads=[]) == ""
    assert leave_root(None, reads=[]) == ""


@pytest.mark.parametrize("wanted", ["nobody", "10001", "0:0", "0:10001", "-1:-1", "1:2:3"])
def test_only_two_numbers_that_are_not_roots_will_do(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(SettingError, match=r"LEAVE_ROOT_FOR must be <uid>:<gid>, not root's, got "):
        leave_root(wanted, reads=[])


def test_a_right_that_is_missing_is_a_reason_to_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "_become", refused)

    assert leave_root(NOBODY, reads=[tmp_path]) == "becoming 10001:10001 is for root only: Operation not permitted"
