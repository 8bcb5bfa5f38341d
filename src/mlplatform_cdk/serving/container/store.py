"""The models that are loaded, within a bound on their memory: held while they are asked, drained before they go.

One thread uses a store, the event loop's; loads and unloads run in threads of their own, so that the other models never
wait for them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.errors import Conflict, NotEnoughMemory, NotFound, RequestError
from mlplatform_cdk.serving.container.memory import LEAST

_LOADS_AT_ONCE = 4
_log = logs.logger("models")


class StoredModel(Protocol):
    """What a store needs of a model."""

    @property
    def memory_bytes(self) -> int:
        """What it takes while it is loaded."""

    def close(self) -> None:
        """Give that back."""


M = TypeVar("M", bound=StoredModel)


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
    :param evict: whether a load may unload models not asked for lately; default: no, it fails and the platform unloads.
    :param opened: called with a model before it is asked for the first time; default: nothing.
    :param closing: called with a model that nobody will ask for again, before it is closed; default: nothing.
    """

    def __init__(
        self,
        load: Callable[[Path], M],
        *,
        memory_bytes: int,
        evict: bool = False,
        opened: Callable[[M], object] = lambda _: None,
        closing: Callable[[M], object] = lambda _: None,
    ) -> None:
        self._load, self._most, self._evict = load, memory_bytes, evict
        self._opened, self._closing = opened, closing
        self._entries: OrderedDict[str, Entry[M]] = OrderedDict()  # the one not asked for longest comes first
        self._taken: dict[object, int] = {}  # bytes of each model that is loaded, being loaded or being unloaded
        self._loading: set[str] = set()
        self._pool = ThreadPoolExecutor(_LOADS_AT_ONCE, thread_name_prefix="models")

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
        :raises NotEnoughMemory: when there is no room for it.
        :raises RequestError: when it cannot be served, in the words of the reason.
        """
        if name in self._entries or name in self._loading:
            raise Conflict(f"the model must not be loaded yet, got {name[:80]!r}")
        self._loading.add(name)
        place = object()
        try:
            size = await asyncio.to_thread(_size_of, folder)
            await self._make_room(place, int(size * LEAST))
            model = await self._loaded(folder)
            try:
                await self._make_room(place, model.memory_bytes)
                self._opened(model)
            except BaseException:
                await self._in_thread(model.close)
                raise
        except BaseException:
            self._taken.pop(place, None)
            raise
        finally:
            self._loading.discard(name)
        del self._taken[place]
        entry = self._entries[name] = Entry(name, url or str(folder), model)
        self._taken[entry] = model.memory_bytes
        _log.info("model loaded", extra={"model": name, "memory_bytes": model.memory_bytes})
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
            await self._in_thread(entry.model.close)
        finally:
            del self._taken[entry]
        _log.info("model unloaded", extra={"model": name})

    async def _make_room(self, place: object, size: int) -> None:
        """Take ``size`` bytes for ``place``, which others can then not have."""
        self._taken.pop(place, None)
        while self.memory_taken + size > self._most:
            if not (self._evict and self._entries) or size > self._most:
                taken = self.memory_taken
                raise NotEnoughMemory(f"the models must fit into {self._most} bytes, got one of {size} beside {taken}")
            await self.unload(next(iter(self._entries)))
        self._taken[place] = size

    async def _loaded(self, folder: Path) -> M:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._load, folder)
        except KnownError as error:
            raise RequestError(str(error)) from error
        except MemoryError as error:
            raise NotEnoughMemory("the model must fit into memory, got one that does not") from error

    async def _in_thread(self, work: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
