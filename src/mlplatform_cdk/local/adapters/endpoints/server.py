"""One container that answers ``/ping`` and invocations: a process here, started again when it dies."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import HTTPError

from mlplatform_cdk.local import images, process, roles, settings
from mlplatform_cdk.local.adapters.endpoints.multi_model import Shelf
from mlplatform_cdk.local.adapters.endpoints.traffic import Traffic
from mlplatform_cdk.local.images import ImageNotHere
from mlplatform_cdk.local.role_storage import StorageError, storage_of
from mlplatform_cdk.runtimekit.manifest import ManifestError, unpack_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    from mlplatform_cdk.local.adapters.endpoints.models import ServedModel
    from mlplatform_cdk.local.adapters.sagemaker_api import Scope
    from mlplatform_cdk.local.log_shipping import LogShipper
    from mlplatform_cdk.local.process import Child

LOOK_SECONDS = 0.05
SHIP_SECONDS = 1.0
PING_SECONDS = 2.0
INVOCATION_SECONDS = 60.0
STARTS_BEFORE_GIVING_UP = 3
LONGEST_PAUSE_SECONDS = 5.0
STOP_SECONDS = 5.0


class ServerFailed(Exception):
    """The container never got healthy; the sentence is SageMaker's FailureReason."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives and how it is called in sentences.

    :param scope: the account and region.
    :param folder: all that it writes on this machine.
    :param title: such as ``production variant AllTraffic``.
    """

    scope: Scope
    folder: Path
    title: str


class ModelServer:
    """A model's container.

    :param model: what it serves.
    :param place: where it lives.
    :param shipper: carries its log; default: none.
    :param answer_seconds: how long an answer may take; default: 60, as of endpoints.
    """

    def __init__(
        self,
        model: ServedModel,
        place: Place,
        shipper: LogShipper | None = None,
        *,
        answer_seconds: float = INVOCATION_SECONDS,
    ) -> None:
        self.model = model
        self.healthy = False
        self.traffic = Traffic()
        self._place = place
        self._shipper = shipper
        self._answer_seconds = answer_seconds
        self._child: Child | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._ended = threading.Event()
        self._watching: threading.Thread | None = None
        models = place.folder / "opt" / "ml" / "models"
        self._shelf = Shelf(model, models, place.scope.region, self._send) if model.multi else None

    @property
    def pid(self) -> int | None:
        """The container's process; None before it was started."""
        return self._child.pid if self._child is not None else None

    def start(self, patience: float) -> None:
        """Fetch the model, start the container, wait until ``/ping`` answers 200; raise ``ServerFailed`` otherwise.

        :param patience: seconds until the health check gives up.
        """
        try:
            self._fetch()
            deadline = time.monotonic() + patience
            for _ in range(STARTS_BEFORE_GIVING_UP):
                if self._ended.is_set():
                    break
                self._launch()
                if self._wait_for_ping(deadline):
                    break
        except (StorageError, ImageNotHere, ManifestError) as error:
            raise ServerFailed(f"The {self._place.title} could not be prepared: {error}") from error
        if not self.healthy:
            self.stop()
            raise ServerFailed(
                f"The primary container for {self._place.title} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            )
        self._watching = threading.Thread(target=self._watch, name=self._place.title, daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """End the container and free its disk."""
        self._ended.set()
        self.healthy = False
        if self._shelf is not None:
            self._shelf.close()
        if self._watching is not None:
            self._watching.join()
        if self._child is not None:
            self._child.stop(STOP_SECONDS)
        if self._shipper is not None:
            self._shipper.ship(last=True)
        shutil.rmtree(self._place.folder, ignore_errors=True)

    def ask(
        self, body: bytes, headers: Mapping[str, str], *, stream: bool = False, target: str | None = None
    ) -> BaseHTTPResponse:
        """Send one request; urllib3's ``HTTPError`` when the container does not answer.

        :param stream: whether the answer is read part by part.
        :param target: the model of a multi-model container.
        """
        if self._shelf is None or target is None:
            return self._send("POST", "/invocations", body, headers, stream=stream)
        for _ in range(STARTS_BEFORE_GIVING_UP):
            with self._shelf.holding(target) as name:
                answer = self._send("POST", f"/models/{name}/invoke", body, headers, stream=stream)
                if answer.status != HTTPStatus.NOT_FOUND:
                    return answer
            self._shelf.forget(target)  # the container has lost it: it was started again
        return answer

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None = None,
        *,
        stream: bool = False,
    ) -> BaseHTTPResponse:
        if self._pool is None:
            raise HTTPError("the container has not started")
        return self._pool.request(
            method,
            path,
            body=body,
            headers=headers or {"Content-Type": "application/json", "Accept": "application/json"},
            timeout=self._answer_seconds,
            retries=False,
            redirect=False,
            preload_content=not stream,
            decode_content=False,
        )

    def _fetch(self) -> None:
        folder = self._place.folder / "opt" / "ml" / "model"
        folder.mkdir(parents=True, exist_ok=True)
        if self.model.data is None or self.model.multi:
            return
        scope = self._place.scope
        storage = storage_of(scope.region, self.model.role_arn)
        if not self.model.packed:
            storage.download(self.model.data, folder)
            return
        archive = self._place.folder / "model.tar.gz"
        storage.fetch(self.model.data, archive)
        unpack_files(archive, folder)
        archive.unlink()

    def _launch(self) -> None:
        """Start the program on a free port."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS)
        tree, scope, folder = images.resolve(self.model.image), self._place.scope, self._place.folder
        (folder / "home").mkdir(exist_ok=True)
        port = _free_port()
        environment = process.environment_of(
            settings.current(),
            region=scope.region,
            credentials=roles.credentials_for(scope.account, scope.region, self.model.role_arn, "SageMaker"),
            home=folder / "home",
        )
        environment |= {
            **tree.environment,
            **self.model.environment,
            process.BASE_DIR: str(folder / "opt" / "ml"),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "BIND_HOST": "127.0.0.1",  # a container binds every address; a process of this machine must not
        }
        if self._shelf is not None:
            environment["SAGEMAKER_MULTI_MODEL"] = "true"
            self._shelf.forget()
        self._child = process.start(
            tree.command_line(("serve",)),
            environment=environment,
            workdir=tree.workdir,
            log_file=folder / "container.log",
        )
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=64, block=False)

    def _wait_for_ping(self, deadline: float) -> bool:
        """Whether the started program gets healthy before it ends or the time is up."""
        while not self._ended.is_set() and time.monotonic() < deadline:
            if self._ping():
                self.healthy = True
                return True
            if self._child is None or self._child.wait(LOOK_SECONDS) is not None:
                return False
        return False

    def _ping(self) -> bool:
        if self._pool is None:
            return False
        try:
            return self._pool.request("GET", "/ping", timeout=PING_SECONDS, retries=False).status == 200  # noqa: PLR2004
        except HTTPError:
            return False

    def _watch(self) -> None:
        """Start the container again whenever it ends, and carry its log."""
        shipped, pause = time.monotonic(), LOOK_SECONDS
        while not self._ended.wait(LOOK_SECONDS):
            if self._shipper is not None and time.monotonic() - shipped > SHIP_SECONDS:
                self._shipper.ship()
                shipped = time.monotonic()
            if self._child is None or self._child.exit_code() is None:
                continue
            self.healthy = False
            if self._ended.wait(pause):
                return
            self._launch()
            recovered = self._wait_for_ping(time.monotonic() + INVOCATION_SECONDS)
            pause = LOOK_SECONDS if recovered else min(2 * pause, LONGEST_PAUSE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
