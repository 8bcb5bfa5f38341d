"""The models of a multi-model variant: fetched and loaded when first asked for, unloaded when the container is full.

The container's side of it: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from mlplatform_cdk.local.role_storage import StorageError, split, storage_of
from mlplatform_cdk.runtimekit.manifest import ManifestError, unpack_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    from mlplatform_cdk.local.adapters.endpoints.models import ServedModel

PATIENCE_SECONDS = 60.0  # what InvokeEndpoint waits for a model; it goes on loading after that
LOADS_AT_ONCE = 4


class NoSuchModel(Exception):
    """A target model that cannot be fetched; the sentence is SageMaker's."""


class NotReadyYet(Exception):
    """A target model that is still being fetched or loaded."""


class LoadRefused(Exception):
    """The container's own answer to a load: its status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Loaded:
    """A model that the container holds, and how many requests of it are under way."""

    __slots__ = ("busy",)

    def __init__(self) -> None:
        self.busy = 0


class Shelf:
    """What of a prefix is loaded into one container.

    :param model: the multi-model container's model; its data is a prefix.
    :param folder: the container's ``/opt/ml/models``.
    :param region: where the prefix lies.
    :param send: asks the container: method, path, body.
    """

    def __init__(
        self,
        model: ServedModel,
        folder: Path,
        region: str,
        send: Callable[[str, str, bytes | None], BaseHTTPResponse],
    ) -> None:
        self._model, self._folder, self._region, self._send = model, folder, region, send
        self._changed = threading.Condition()
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()  # by target, least recently used first
        self._unloading: set[str] = set()
        self._loading: dict[str, Future[None]] = {}
        self._pool = ThreadPoolExecutor(LOADS_AT_ONCE, thread_name_prefix="multi-model")

    @contextmanager
    def holding(self, target: str) -> Iterator[str]:
        """The name by which the container knows ``target``, which stays loaded meanwhile.

        :param target: the archive's key below the prefix, as in ``TargetModel``.
        """
        held = self._acquire(target)
        try:
            yield name_of(target)
        finally:
            with self._changed:
                held.busy -= 1
                self._changed.notify_all()

    def forget(self, target: str | None = None) -> None:
        """Take ``target`` (default: everything) for not loaded: the container says so, or has been started anew."""
        with self._changed:
            for one in [target] if target is not None else list(self._loaded):
                self._loaded.pop(one, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Load nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _acquire(self, target: str) -> _Loaded:
        while True:
            with self._changed:
                # Its files are being deleted: what is fetched now would go with them.
                if not self._changed.wait_for(lambda: target not in self._unloading, PATIENCE_SECONDS):
                    raise NotReadyYet(f"Model {target} is being unloaded; ask again.")
                held = self._loaded.get(target)
                if held is not None:
                    held.busy += 1
                    self._loaded.move_to_end(target)
                    return held
                under_way = self._loading.get(target)
                if under_way is None:
                    under_way = self._loading[target] = self._pool.submit(self._load, target)
            try:
                under_way.result(PATIENCE_SECONDS)
            except TimeoutError as late:
                raise NotReadyYet(f"Model {target} is being loaded; ask again.") from late

    def _load(self, target: str) -> None:
        place = self._folder / name_of(target)
        try:
            self._fetch(target, place / "model")
            self._tell(target, place / "model")
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        finally:
            with self._changed:
                self._loading.pop(target, None)

    def _fetch(self, target: str, folder: Path) -> None:
        bucket, prefix = split(str(self._model.data))
        key = f"{prefix.rstrip('/')}/{target.lstrip('/')}".lstrip("/")
        archive = folder.parent / "model.tar.gz"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            storage_of(self._region, self._model.role_arn).fetch(f"s3://{bucket}/{key}", archive)
            unpack_files(archive, folder)
        except (StorageError, ManifestError) as error:
            raise NoSuchModel(
                f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object "
                "located at the URL and that the role passed to CreateModel has permissions to download the model. "
                f"{error}"
            ) from error
        archive.unlink()

    def _tell(self, target: str, folder: Path) -> None:
        request = json.dumps({"model_name": name_of(target), "url": str(folder)}).encode()
        while True:
            answer = self._send("POST", "/models", request)
            if answer.status in (HTTPStatus.OK, HTTPStatus.CONFLICT):  # 409: it is loaded already
                with self._changed:
                    self._loaded.setdefault(target, _Loaded())
                return
            full = answer.status == HTTPStatus.INSUFFICIENT_STORAGE
            if not full or not self._unload_one():
                raise LoadRefused(answer.status, answer.data.decode(errors="replace"))

    def _unload_one(self) -> bool:
        """Unload what has not been asked for longest, once nothing of it is under way; False when there is nothing."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._loaded or any(not one.busy for one in self._loaded.values()), PATIENCE_SECONDS
            )
            idle = next((target for target, one in self._loaded.items() if not one.busy), None)
            if idle is None:
                return False
            del self._loaded[idle]
            self._unloading.add(idle)
        try:
            self._send("DELETE", f"/models/{name_of(idle)}", None)
            shutil.rmtree(self._folder / name_of(idle), ignore_errors=True)
        finally:
            with self._changed:
                self._unloading.discard(idle)
                self._changed.notify_all()
        return True


def name_of(target: str) -> str:
    """The opaque name under which the container gets ``target``."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]
