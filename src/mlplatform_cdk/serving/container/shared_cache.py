"""A cache shared by many containers, such as ElastiCache for Valkey: a help when it is well, no harm when it is not.

Every call ends in time, errors are counted and never raised, and a cache that fails is left alone for a while.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError

_THREADS = 2
_MOST_UNDER_WAY = 64
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_log = logs.logger("cache")


class CacheError(KnownError):
    """Settings with which no shared cache can be used."""


class SharedCache:
    """Values by name.

    :param client: gives ``get(name)``, ``mget(names)`` and ``set(name, value, px=milliseconds)``, as Valkey's do.
    :param seconds: how long a value is good.
    :param timeout_ms: how long a caller waits at most, in milliseconds.
    """

    def __init__(self, client: Any, *, seconds: float, timeout_ms: float) -> None:
        self._client = client
        self._milliseconds, self._patience = max(1, int(seconds * 1000)), timeout_ms / 1000
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="shared-cache")
        self._lock = threading.Lock()
        self._under_way = 0
        self._pause, self._resting_until = _FIRST_PAUSE_SECONDS, 0.0
        self.errors = self.left_out = 0

    @classmethod
    def connect(cls, url: str, *, seconds: float, timeout_ms: float) -> "SharedCache":
        """A cache at ``url``; nothing is sent before the first look-up.

        :param url: such as ``valkey://host:6379`` or, with TLS, ``valkeys://…``.
        """
        try:
            from mlplatform_cdk.serving.container.valkey_client import Client
        except ImportError:
            raise CacheError(
                "CACHE_URL needs the package valkey, which this image does not hold; install the extra cache"
            ) from None
        try:
            client = Client(url, patience=timeout_ms / 1000, connections=_THREADS)
        except ValueError as error:
            raise CacheError(f"CACHE_URL must be valkey://host:port, got one that is not ({error})") from None
        return cls(client, seconds=seconds, timeout_ms=timeout_ms)

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of ``names``; ``None`` for each that is not there or did not come in time."""
        future = self._submit(lambda: self._client.mget(names))
        try:
            found: list[bytes | None] | None = None if future is None else future.result(self._patience)
        except TimeoutError as late:
            self._rest(late)
            found = None
        return [None] * len(names) if found is None else found

    def put(self, name: str, value: bytes) -> None:
        """Keep ``value``, soon; nobody waits for it."""
        self._submit(lambda: self._client.set(name, value, px=self._milliseconds))

    def fetch(self, name: str, done: Callable[[bytes | None], object]) -> None:
        """Call ``done`` with the value, or ``None``, once; from another thread, or at once where the cache rests."""
        future = self._submit(lambda: self._client.get(name))
        if future is None:
            done(None)
        else:
            future.add_done_callback(lambda ended: done(None if ended.cancelled() else ended.result()))

    def close(self) -> None:
        """Use the cache no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _submit(self, work: Callable[[], Any]) -> "Future[Any] | None":
        with self._lock:
            if self._under_way >= _MOST_UNDER_WAY or time.monotonic() < self._resting_until:
                self.left_out += 1
                return None
            self._under_way += 1
        return self._pool.submit(self._guarded, work)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - whatever a sick cache does, the answer does not depend on it
            with self._lock:
                self.errors += 1
            self._rest(error)
            return None
        else:
            self._pause = _FIRST_PAUSE_SECONDS
            return value
        finally:
            with self._lock:
                self._under_way -= 1

    def _rest(self, error: BaseException) -> None:
        """Leave the cache alone, twice as long each time that it fails again."""
        with self._lock:
            now = time.monotonic()
            if now < self._resting_until:
                return
            self._resting_until, pause = now + self._pause, self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        told = f"{type(error).__name__}: {error}" if str(error) else "no answer in time"
        _log.warning("the shared cache failed and rests", extra={"reason": told, "pause_seconds": pause})


class Features:
    """What a model's hooks see of a shared cache: values by name, of this version of the model alone.

    :param cache: the shared cache.
    :param version: of the model.
    """

    def __init__(self, cache: SharedCache, version: str) -> None:
        self._cache, self._prefix = cache, f"mlplatform:feature:{version}:"

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of ``names``, ``None`` for each that is not there or did not come in time."""
        return self._cache.get([self._prefix + name for name in names])

    def put(self, name: str, value: bytes) -> None:
        """Keep ``value``, soon."""
        self._cache.put(self._prefix + name, value)
