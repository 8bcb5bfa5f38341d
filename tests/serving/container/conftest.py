"""A model made by the training job, and the server process that answers with it."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.jobs import rehearsal


class Serving:
    """A serving process of its own, as SageMaker or a rehearsal starts it."""

    def __init__(self, tree: Path, base: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlplatform_cdk.serving.container", "serve"],
            env=rehearsal.child_environment(tree, base)
            | {"BIND_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": "0", **environment},
            cwd=tree,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(json.loads(self.process.stdout.readline())["port"])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def wait_until_ready(self) -> "Serving":
        until = time.monotonic() + 20
        while time.monotonic() < until:
            connection = self.connect()
            connection.request("GET", "/ping")
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return self
            assert status == 503
            time.sleep(0.02)
        raise AssertionError("the server did not get ready")

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """Send SIGTERM; the exit code, and the log lines after the first."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> tuple[int, list[dict[str, Any]]]:
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, [json.loads(line) for line in rest.splitlines()]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rehearsal.ship(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def base(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder whose ``model`` a training job has filled."""
    prepared = rehearsal.preprocess(tree, tmp_path_factory.mktemp("p"), {"a.csv": rehearsal.breast_cancer()})
    trained = rehearsal.train(tree, tmp_path_factory.mktemp("t"), prepared.output("dataset"), {})
    assert trained.code == 0, trained.reason or trained.errors
    return trained.base


@pytest.fixture(scope="session")
def start(tree: Path) -> Iterator[Callable[..., Serving]]:
    started: list[Serving] = []

    def run(base: Path, **environment: str) -> Serving:
        started.append(Serving(tree, base, **environment))
        return started[-1]

    yield run
    for serving in started:
        serving.process.kill()
        serving.process.communicate()


@pytest.fixture(scope="session")
def serving(base: Path, start: Callable[..., Serving]) -> Serving:
    return start(base, MAX_BODY_BYTES="100000").wait_until_ready()
