"""Which models are loaded, what happens when memory is short, and who must wait for whom?"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.errors import Conflict, LoadTooSlow, NotEnoughMemory, NotFound, RequestError
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.models_api import ModelsApi, invoked
from mlplatform_cdk.serving.container.store import ModelStore


class Loaded:
    """A model that takes 100 bytes."""

    memory_bytes, run_id = 100, "run-1"

    def __init__(self, folder: Path) -> None:
        self.folder, self.closed = folder, False
        if (folder / "broken").exists():
            raise KnownError("the model must load, got a broken one")

    def close(self) -> None:
        self.closed = True


def run(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in "abcd":
        (tmp_path / "models" / name).mkdir(parents=True)
    return tmp_path / "models"


def test_a_model_is_there_from_its_load_to_its_unload(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=1000)
        with pytest.raises(NotFound):
            store.hold("a")

        model = await store.load("a", root / "a")
        with pytest.raises(Conflict):
            await store.load("a", root / "a")

        assert store.hold("a").model is model
        assert (store.names(), store.memory_taken) == (["a"], 100)

    run(scene)


def test_an_unload_lets_what_is_under_way_end_and_refuses_what_comes(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=1000)
        model = await store.load("a", root / "a")
        first, second = store.hold("a"), store.hold("a")

        unloading = asyncio.ensure_future(store.unload("a"))
        await asyncio.sleep(0)
        with pytest.raises(NotFound):
            store.hold("a")
        first.release()
        await asyncio.sleep(0.02)
        assert (model.closed, unloading.done(), store.memory_taken) == (False, False, 100)
        second.release()
        await unloading

        assert (model.closed, store.memory_taken) == (True, 0)

    run(scene)


def test_a_load_does_not_keep_other_models_from_answering(root: Path) -> None:
    async def scene() -> None:
        loading, go_on = threading.Event(), threading.Event()

        def slowly(folder: Path) -> Loaded:
            if folder.name == "b":
                loading.set()
                assert go_on.wait(10)
            return Loaded(folder)

        store = ModelStore(slowly, memory_bytes=1000)
        await store.load("a", root / "a")
        slow = asyncio.ensure_future(store.load("b", root / "b"))
        await asyncio.to_thread(loading.wait)

        store.hold("a").release()
        await store.load("c", root / "c")
        with pytest.raises(Conflict):
            await store.load("b", root / "b")
        assert (store.names(), slow.done()) == (["a", "c"], False)
        go_on.set()
        await slow

        assert store.names() == ["a", "b", "c"]

    run(scene)


def test_without_room_a_load_fails_and_nothing_is_unloaded(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=250)
        await store.load("a", root / "a")
        await store.load("b", root / "b")

        with pytest.raises(NotEnoughMemory, match="must fit into 250 bytes, got one of 100 beside 200"):
            await store.load("c", root / "c")

        assert (store.names(), store.memory_taken) == (["a", "b"], 200)
        await store.unload("a")
        await store.load("c", root / "c")

    run(scene)


def test_where_it_may_evict_the_model_not_asked_for_longest_goes_once_it_is_answered(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=250, evict=True)
        await store.load("a", root / "a")
        longest = await store.load("b", root / "b")
        held = store.hold("b")
        store.hold("a").release()

        loading = asyncio.ensure_future(store.load("c", root / "c"))
        await asyncio.sleep(0.05)
        assert not loading.done()
        held.release()
        await loading

        assert (store.names(), longest.closed) == (["a", "c"], True)

    run(scene)


def test_a_model_that_could_never_fit_evicts_nobody(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=150, evict=True)
        await store.load("a", root / "a")
        (root / "b" / "weights").write_bytes(b"x" * 1000)

        with pytest.raises(NotEnoughMemory):
            await store.load("b", root / "b")

        assert store.names() == ["a"]

    run(scene)


def test_a_model_that_cannot_be_served_says_why_and_leaves_nothing_behind(root: Path) -> None:
    async def scene() -> None:
        (root / "a" / "broken").touch()
        store = ModelStore(Loaded, memory_bytes=1000)

        with pytest.raises(RequestError, match="the model must load, got a broken one"):
            await store.load("a", root / "a")

        assert (store.names(), store.memory_taken) == ([], 0)

    run(scene)


class Hanging:
    """Loads that wait for ``go_on``, but for those of folders with a name of one letter."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.late: list[Loaded] = []

    def load(self, folder: Path) -> Loaded:
        model = Loaded(folder)
        if len(folder.name) > 1:
            assert self.go_on.wait(10)
            self.late.append(model)
        return model


def test_loads_that_hang_keep_neither_loads_nor_unloads_from_ending(root: Path) -> None:
    async def scene() -> None:
        hanging = Hanging()
        store = ModelStore(hanging.load, memory_bytes=1000, seconds=6)
        await store.load("a", root / "a")
        (root / "hanging").mkdir()
        slow = [asyncio.ensure_future(store.load(f"slow{number}", root / "hanging")) for number in range(4)]
        await asyncio.sleep(0)

        unloading = asyncio.ensure_future(store.unload("a"))
        await store.load("b", root / "b")
        await unloading

        assert [one.done() for one in slow] == [False] * 4
        assert store.names() == ["b"]
        hanging.go_on.set()
        await asyncio.gather(*slow)

    run(scene)


def test_a_load_that_takes_too_long_is_answered_and_its_model_is_closed_when_it_comes(root: Path) -> None:
    async def scene() -> None:
        hanging = Hanging()
        store = ModelStore(hanging.load, memory_bytes=1000, seconds=0.5)
        (root / "hanging").mkdir()
        (root / "hanging" / "weights").write_bytes(b"x" * 100)

        with pytest.raises(LoadTooSlow, match=r"within 0\.5 s, got one whose load does not end") as told:
            await store.load("slow", root / "hanging")
        assert told.value.status == 504
        assert (store.names(), store.memory_taken) == ([], 130)  # its thread may have taken it
        with pytest.raises(LoadTooSlow, match="must have ended, got 1 whose threads still run"):
            await store.load("slow", root / "a")
        await store.load("a", root / "a")

        hanging.go_on.set()
        while store.memory_taken > 100:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
        assert ([one.closed for one in hanging.late], store.names()) == ([True], ["a"])
        await store.load("slow", root / "b")

    run(scene)


def test_without_end_loads_that_are_given_up_take_no_more_threads(root: Path) -> None:
    async def scene() -> None:
        hanging = Hanging()
        store = ModelStore(hanging.load, memory_bytes=1000, seconds=0.6)
        (root / "hanging").mkdir()
        slow = [store.load(f"slow{number}", root / "hanging") for number in range(16)]
        told = await asyncio.gather(*slow, return_exceptions=True)
        assert {str(one) for one in told} == {"the model must be loaded within 0.6 s, got one whose load does not end"}

        with pytest.raises(LoadTooSlow, match="got 16 whose threads still run"):
            await store.load("a", root / "a")
        hanging.go_on.set()

    run(scene)


@pytest.mark.parametrize("leads", ["file", "folder"])
def test_a_model_whose_files_lead_out_of_its_folder_is_not_loaded(root: Path, leads: str) -> None:
    (root / "b" / "manifest.json").touch()
    (root / "a" / "manifest.json").symlink_to(root / "b" / "manifest.json" if leads == "file" else root / "b")

    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=1000)
        with pytest.raises(RequestError, match=r"must lie in its folder, got 'manifest\.json', a link that leads else"):
            await store.load("a", root / "a")
        assert (store.names(), store.memory_taken) == ([], 0)

    run(scene)


def test_a_model_may_be_mounted_through_links_that_stay_in_its_folder(root: Path) -> None:
    data = root / "a" / "..data"  # as Kubernetes mounts a configuration
    data.mkdir()
    (data / "manifest.json").touch()
    (root / "a" / "manifest.json").symlink_to(Path("..data") / "manifest.json")
    (root / "link").symlink_to(root / "a")

    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=1000)
        await store.load("a", root / "link")
        assert store.names() == ["a"]

    run(scene)


def ask(api: ModelsApi, method: str, path: str, body: object = None) -> Any:
    async def answer() -> Answer:
        target, _, query = path.partition("?")
        return await api.answer(Request(method, target, {}, json.dumps(body).encode(), 0.0, query))

    return answer()


def test_the_contract_of_sagemaker_for_many_models(root: Path) -> None:
    async def scene() -> None:
        api = ModelsApi(ModelStore(Loaded, memory_bytes=1000), root)
        a = {"modelName": "a", "modelUrl": str(root / "a")}

        loaded = await ask(api, "POST", "/models", {"model_name": "a", "url": str(root / "a")})
        assert (loaded.status, json.loads(loaded.body)) == (200, a)
        assert json.loads((await ask(api, "GET", "/models")).body) == {"models": [a]}
        assert json.loads((await ask(api, "GET", "/models/a")).body) == a
        assert (await ask(api, "DELETE", "/models/a")).status == 200

        for method in ("GET", "DELETE"):
            with pytest.raises(NotFound):
                await ask(api, method, "/models/a")
        with pytest.raises(RequestError) as wrong:
            await ask(api, "PUT", "/models/a")
        assert (wrong.value.status, dict(wrong.value.headers)) == (405, {"Allow": "GET, DELETE"})

    run(scene)


def test_a_long_list_comes_in_pages(root: Path) -> None:
    async def scene() -> None:
        store = ModelStore(Loaded, memory_bytes=10**6)
        api = ModelsApi(store, root)
        for number in range(250):
            await store.load(f"m{number:03}", root / "a")

        seen: list[str] = []
        token, pages = "", 0
        while token is not None:
            page = json.loads((await ask(api, "GET", f"/models?next_page_token={token}" if token else "/models")).body)
            seen += [one["modelName"] for one in page["models"]]
            token, pages = page.get("nextPageToken"), pages + 1

        assert (seen, pages) == (store.names(), 3)

    run(scene)


@pytest.mark.parametrize(
    ("url", "status"), [("{root}/../secret", 400), ("/etc", 400), ("{root}/link", 400), ("{root}/none", 404)]
)
def test_models_come_from_the_folder_for_models_alone(root: Path, url: str, status: int) -> None:
    (root.parent / "secret").mkdir()
    (root / "link").symlink_to(root.parent / "secret")

    async def scene() -> None:
        api = ModelsApi(ModelStore(Loaded, memory_bytes=1000), root)
        with pytest.raises(RequestError, match="the model's url must be a folder") as refused:
            await ask(api, "POST", "/models", {"model_name": "x", "url": url.format(root=root)})
        assert refused.value.status == status

    run(scene)


@pytest.mark.parametrize("body", [None, [], {"model_name": "a"}, {"model_name": "a/b", "url": "/"}, {"url": ""}])
def test_a_load_without_name_and_url_is_refused(root: Path, body: object) -> None:
    async def scene() -> None:
        with pytest.raises(RequestError) as refused:
            await ask(ModelsApi(ModelStore(Loaded, memory_bytes=1000), root), "POST", "/models", body)
        assert refused.value.status == 400

    run(scene)


def test_the_path_of_an_invocation_names_its_model() -> None:
    assert [
        invoked(path) for path in ("/models/a%20b/invoke", "/models/a", "/models//invoke", "/models/a/b/invoke")
    ] == [
        "a b",
        None,
        None,
        None,
    ]
