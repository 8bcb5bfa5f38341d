"""The models that are loaded, within a bound on their memory: held while they are asked, drained before they go.

One thread uses a store, the event loop's; loads and unloads run in threads of their own, so that the other models never
wait for them. A load that does not end is given up, since no thread can be ended from outside: its caller is told, its
model stays unknown, and is closed if it does come. Until then it keeps its memory's account and its name.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.errors import (
    Conflict,
    LoadTooSlow,
    NotEnoughMemory,
    NotFound,
    RequestError,
)
from mlplatform_cdk.serving.container.memory import LEAST
from mlplatform_cdk.serving.container.threads import begin

# SageMaker lets a model come and load for so long:
# https://docs.aws.amazon.com/sagemaker/latest/dg/invoke-multi-model-endpoint.html
LOAD_SECONDS = 360.0
_LOADS_AT_ONCE = 4
_SHARE_AT_ONCE = 1 / 12  # of that: a load that takes longer waits rather than computes, and the next one begins beside
_MOST_GIVEN_UP = 16  # loads whose threads still run
_log = logs.logger("models")


class StoredModel(Protocol):
    """What a store needs of a model."""

    @property
    def memory_bytes(self) -> int:
        """What it takes while it is loaded."""

    @property
    def run_id(self) -> str:
        """The run that made it."""

    def close(self) -> None:
        """Give that back."""


M = TypeVar("M", bound=StoredModel)
T = TypeVar("T")


class Entry(Generic[M]):
    """A loaded model, kept for as long as somebody holds it.

    :param name: by which it is asked for.
    :param url: the folder that it was loaded from.
    :param model: the model itself.
    """

    __slots__ = ("_released", "holds", "model", "name", "url")

    def __init__(self, name: str, url: str, model: M) -> None:
        self.name, self.url, self.model = name, url, model
        self.holds = 0
        self._released: asyncio.Future[None] | None = None

    def release(self) -> None:
        """Say that the request for which ``ModelStore.hold`` was called has been answered, to the end of its stream."""
        self.holds -= 1
        if not self.holds and self._released is not None and not self._released.done():
            self._released.set_result(None)

    async def released(self) -> None:
        """Wait until nobody holds the model."""
        if self.holds:
            self._released = self._released or asyncio.get_running_loop().create_future()
            await self._released


class ModelStore(Generic[M]):
    """Models by name, within a bound on the memory that they take together.

    :param load: makes a model of a folder; called in a thread.
    :param memory_bytes: the bound.
    :param seconds: how long a load may take once it has begun; default: as long as SageMaker lets it.
    :param evict: whether a load may unload models not asked for lately; default: no, it fails and the platform unloads.
    :param opened: called with a model before it is asked for the first time; default: nothing.
    :param closing: called with a model that nobody will ask for again, before it is closed; default: nothing.
    """

    def __init__(
        self,
        load: Callable[[Path], M],
        *,
        memory_bytes: int,
        seconds: float = LOAD_SECONDS,
        evict: bool = False,
        opened: Callable[[M], object] = lambda _: None,
        closing: Callable[[M], object] = lambda _: None,
    ) -> None:
        self._load, self._most, self._seconds, self._evict = load, memory_bytes, seconds, evict
        self._opened, self._closing = opened, closing
        self._entries: OrderedDict[str, Entry[M]] = OrderedDict()  # the one not asked for longest comes first
        self._taken: dict[object, int] = {}  # bytes of each model that is loaded, being loaded or being unloaded
        self._loading: set[str] = set()
        self._given_up: dict[str, asyncio.Future[None]] = {}  # loads whose threads still run
        self._at_once = asyncio.Semaphore(_LOADS_AT_ONCE)

    def hold(self, name: str) -> Entry[M]:
        """The model ``name``, which stays until ``release`` is called on what this gives.

        :raises NotFound: when it is not loaded.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise NotFound(f"the model must be loaded before it is asked, got {name[:80]!r}")
        self._entries.move_to_end(name)
        entry.holds += 1
        return entry

    def names(self) -> list[str]:
        """The models that can be asked now, in order."""
        return sorted(self._entries)

    def url(self, name: str) -> str:
        """The folder that the model ``name`` was loaded from."""
        entry = self._entries.get(name)
        if entry is None:
            raise NotFound(f"the model must be loaded, got {name[:80]!r}")
        return entry.url

    @property
    def memory_taken(self) -> int:
        """Bytes that the models take, those on their way in and out among them."""
        return sum(self._taken.values())

    async def load(self, name: str, folder: Path, url: str = "") -> M:
        """Load the model in ``folder`` under ``name``; the others are answered meanwhile.

        :param url: how the folder was told, for whoever asks; default: its path.
        :raises Conflict: when that name is loaded, or being loaded.
        :raises LoadTooSlow: when it takes too long, or an earlier load of it still does.
        :raises NotEnoughMemory: when there is no room for it.
        :raises RequestError: when it cannot be served, in the words of the reason.
        """
        if name in self._entries or name in self._loading:
            raise Conflict(f"the model must not be loaded yet, got {name[:80]!r}")
        self._loading.add(name)
        place = object()
        try:
            size = await self._in_time(name, place, lambda: _size_of(folder), lambda _: None)
            await self._make_room(place, int(size * LEAST))
            model = await self._loaded(name, place, folder)
            try:
                await self._make_room(place, model.memory_bytes)
                self._opened(model)
            except BaseException:
                await begin(model.close, "close")
                raise
        except BaseException:
            self._taken.pop(place, None)
            raise
        finally:
            self._loading.discard(name)
        del self._taken[place]
        entry = self._entries[name] = Entry(name, url or str(folder), model)
        self._taken[entry] = model.memory_bytes
        told = {"model": name, "run_id": model.run_id, "memory_bytes": model.memory_bytes}
        _log.info("model loaded", extra=told)
        return model

    async def unload(self, name: str) -> None:
        """Ask the model ``name`` nothing more, let what is under way end, and give its memory back.

        :raises NotFound: when it is not loaded.
        """
        entry = self._entries.pop(name, None)
        if entry is None:
            raise NotFound(f"the model must be loaded, got {name[:80]!r}")
        await entry.released()
        try:
            self._closing(entry.model)
            await begin(entry.model.close, "close")
        finally:
            del self._taken[entry]
        _log.info("model unloaded", extra={"model": name, "run_id": entry.model.run_id})

    async def _make_room(self, place: object, size: int) -> None:
        """Take ``size`` bytes for ``place``, which others can then not have."""
        self._taken.pop(place, None)
        while self.memory_taken + size > self._most:
            if not (self._evict and self._entries) or size > self._most:
                taken = self.memory_taken
                raise NotEnoughMemory(f"the models must fit into {self._most} bytes, got one of {size} beside {taken}")
            await self.unload(next(iter(self._entries)))
        self._taken[place] = size

    async def _loaded(self, name: str, place: object, folder: Path) -> M:
        try:
            return await self._in_time(name, place, lambda: self._load(folder), lambda late: late.close())
        except KnownError as error:
            raise RequestError(str(error)) from error
        except MemoryError as error:
            raise NotEnoughMemory("the model must fit into memory, got one that does not") from error

    async def _in_time(self, name: str, place: object, work: Callable[[], T], undo: Callable[[T], object]) -> T:
        """What ``work`` gives in a thread, a few at once; when that takes too long, it is undone if it does come."""
        async with self._at_once:
            if name in self._given_up or len(self._given_up) >= _MOST_GIVEN_UP:
                told = f"got {len(self._given_up)} whose threads still run"
                raise LoadTooSlow(f"the loads that took longer than {self._seconds:g} s must have ended, {told}")
            coming = begin(work, "load")
            await asyncio.wait([coming], timeout=self._seconds * _SHARE_AT_ONCE)
        await asyncio.wait([coming], timeout=self._seconds * (1 - _SHARE_AT_ONCE))
        if coming.done():
            return coming.result()
        if place in self._taken:
            self._taken[coming] = self._taken.pop(place)
        self._given_up[name] = asyncio.ensure_future(self._see_off(name, coming, undo))
        _log.error("load given up", extra={"model": name, "seconds": self._seconds})
        raise LoadTooSlow(f"the model must be loaded within {self._seconds:g} s, got one whose load does not end")

    async def _see_off(self, name: str, coming: "asyncio.Future[T]", undo: Callable[[T], object]) -> None:
        """Let go of a load that was given up, once it ends, and of what it gives."""
        try:
            late = await coming
            await begin(lambda: undo(late), "close")
        except Exception as error:  # noqa: BLE001 - whoever asked for it has been told
            _log.warning("a load that was given up has failed", extra={"model": name, "reason": str(error)})
        finally:
            self._taken.pop(coming, None)
            del self._given_up[name]


def _size_of(folder: Path) -> int:
    """The bytes of all files below ``folder``, which must not lead elsewhere; the folder itself may be a link."""
    home, size = folder.resolve(), 0
    for path in home.rglob("*"):  # does not enter linked folders
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            told = f"got {path.name[:80]!r}, a link that leads elsewhere"
            raise RequestError(f"a model's files must lie in its folder, {told}; put the file itself there")
        size += path.stat().st_size if path.is_file() else 0
    return size
