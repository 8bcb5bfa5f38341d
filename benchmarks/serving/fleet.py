"""Containers behind a client that routes as an endpoint does: to those in service, and elsewhere when one is gone."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

_WAIT_S = 30.0
_GONE = (ConnectionError, http.client.RemoteDisconnected, http.client.IncompleteRead, http.client.BadStatusLine)


class Container:
    """One container of many models, started as a host starts it.

    :param program: the tree that the image holds.
    :param base: its base folder, with ``models`` in it.
    """

    def __init__(self, program: Path, base: Path) -> None:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "DEADLINE_MS": "30000",  # a machine that does something else for a while loses nothing
            "ORT_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": str(program),
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_PORT": "0",
            "SAGEMAKER_MULTI_MODEL": "true",
        }
        self._models = base / "models"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlplatform_cdk.serving.container", "serve"],
            cwd=program,
            env={"PATH": os.environ.get("PATH", ""), **settings},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(json.loads(self.process.stdout.readline())["port"])
        self._log = threading.Thread(target=self.process.stdout.read, daemon=True)  # a full pipe would stop it
        self._log.start()
        self.ended_by = "nothing"
        self._until(lambda: self.ask("GET", "/ping")[0] == http.client.OK)

    def ask(self, method: str, path: str, document: object = None) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_WAIT_S)
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def load(self, name: str) -> int:
        """Load the model ``name`` from the folder of that name; the status."""
        return self.ask("POST", "/models", {"model_name": name, "url": str(self._models / name)})[0]

    def unload(self, name: str) -> int:
        """Unload it; the status."""
        return self.ask("DELETE", f"/models/{name}")[0]

    def resident_bytes(self) -> int:
        """Its memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def end(self, number: signal.Signals) -> int:
        """Send ``number`` and wait; the exit code."""
        self.ended_by = number.name
        self.process.send_signal(number)
        code = self.process.wait(_WAIT_S)
        self._log.join()
        return code

    def _until(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + _WAIT_S
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError("the container did not get ready")
            time.sleep(0.01)


class Clients:
    """Threads that ask without pause, each on a connection that it keeps, and count what becomes of it.

    :param body: of every request.
    :param models: those asked for, in turn; they are loaded in every container in service.
    :param threads: how many ask.
    """

    def __init__(self, body: bytes, models: Sequence[str], threads: int) -> None:
        self.in_service: list[Container] = []
        self.answers: Counter[int] = Counter()
        self.lost: Counter[str] = Counter()
        self._body, self._models = body, models
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(threads)]

    def start(self) -> None:
        """Ask from now on."""
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        """Wait for what is under way."""
        self._stopped.set()
        for one in self._threads:
            one.join()

    def _work(self, number: int) -> None:
        kept: dict[int, http.client.HTTPConnection] = {}
        while not self._stopped.is_set():
            number += 1
            self._ask_until_answered(kept, number)
        for connection in kept.values():
            connection.close()

    def _ask_until_answered(self, kept: dict[int, http.client.HTTPConnection], number: int) -> None:
        path = f"/models/{self._models[number % len(self._models)]}/invoke"
        while True:
            containers = self.in_service
            container = containers[number % len(containers)]
            connection = kept.setdefault(
                container.port, http.client.HTTPConnection("127.0.0.1", container.port, timeout=_WAIT_S)
            )
            accepted = connection.sock is not None
            try:
                if not accepted:
                    connection.connect()
                    accepted = True
                connection.request("POST", path, self._body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
            except _GONE:
                kept.pop(container.port).close()
                number += 1
                with self._lock:
                    self.lost[container.ended_by if accepted else "not accepted"] += 1
                continue
            with self._lock:
                self.answers[response.status] += 1
            return
