"""Starts and stops the embedded AWS, one process on 127.0.0.1, and finds one that already runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from mlplatform_cdk.local.settings import (
    HOST,
    SETTINGS_VARIABLE,
    STATE_FILE,
    NoEmbeddedAws,
    Settings,
    client_environment,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

LOG_FILE = "server.log"
PATIENCE_SECONDS = 60.0
GRACE_SECONDS = 5.0


class ServerFailed(RuntimeError):
    """The embedded AWS did not come up."""


@dataclass(slots=True)
class Server:
    """A running embedded AWS.

    :param settings: its settings, with the port that it listens on.
    :param pid: its process, which leads the group of its children.
    """

    settings: Settings
    pid: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def endpoint_url(self) -> str:
        """Where boto3, the AWS CLI and the cdk CLI find it."""
        return self.settings.endpoint_url

    def is_running(self) -> bool:
        """Whether the process lives."""
        if self._process is not None:
            return self._process.poll() is None
        return _is_alive(self.pid)

    def stop(self) -> None:
        """End the server and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
        (self.settings.state_dir / STATE_FILE).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Stay up for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End with the block."""
        self.stop()


def start(settings: Settings, *, leashed: bool = True) -> Server:
    """Start an embedded AWS and wait until it answers.

    :param settings: where it lives and whom it plays.
    :param leashed: whether it ends with this process, however that ends; default: yes.
    """
    require_none(settings.state_dir)
    _require_free(settings.port)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    (settings.state_dir / STATE_FILE).unlink(missing_ok=True)
    command = [sys.executable, "-m", "mlplatform_cdk.local.serve", *(["--leashed"] if leashed else [])]
    environment = client_environment(settings) | {SETTINGS_VARIABLE: settings.to_json()}
    del environment["AWS_ENDPOINT_URL"]  # its own port is not known before it listens
    with (settings.state_dir / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if leashed else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    return _wait(settings, process)


def find(state_dir: Path) -> Server | None:
    """The embedded AWS that runs in ``state_dir``, if one does."""
    try:
        state = json.loads((state_dir / STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    settings = Settings.from_json(json.dumps(state["settings"]))
    return Server(settings, state["pid"]) if _is_embedded_aws(state["pid"]) else None


def require_none(state_dir: Path) -> None:
    """An error when an embedded AWS runs in ``state_dir``."""
    one = find(state_dir)
    if one is not None:
        raise ServerFailed(
            f"an embedded AWS already runs in {state_dir} (process {one.pid}); stop it with mlplatform local down"
        )


def running(state_dir: Path) -> Server:
    """The embedded AWS that runs in ``state_dir``; an error when none does."""
    server = find(state_dir)
    if server is None:
        raise NoEmbeddedAws(f"no embedded AWS runs in {state_dir}; start one with mlplatform local up")
    return server


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerFailed(
                f"the port {port} of {HOST} must be free, got: {error.strerror}; name another, or 0 for any"
            ) from error


def _wait(settings: Settings, process: subprocess.Popen[bytes]) -> Server:
    deadline = time.monotonic() + PATIENCE_SECONDS
    state_file = settings.state_dir / STATE_FILE
    while time.monotonic() < deadline and process.poll() is None:
        if state_file.exists():
            state = json.loads(state_file.read_text())
            return Server(Settings.from_json(json.dumps(state["settings"])), process.pid, process)
        time.sleep(0.02)
    reason = f"ended with status {process.poll()}" if process.poll() is not None else "did not answer"
    log = settings.state_dir / LOG_FILE
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    lines = log.read_text(errors="replace").strip().splitlines() or ["(empty log)"]
    raise ServerFailed(f"the embedded AWS {reason}: {lines[-1]} (log: {log})")


def _is_embedded_aws(pid: int) -> bool:
    """Whether ``pid`` is one still: numbers are given again, and what has it now is not ours to end."""
    try:
        return "mlplatform_cdk.local.serve" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
