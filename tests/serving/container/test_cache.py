"""Which requests get a kept answer, and what does a sick shared cache cost?"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.serving.container.cache import ResponseCache, key_of
from mlplatform_cdk.serving.container.messages import Answer
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.shared_cache import CacheError, Features, SharedCache
from tests.serving.container.valkey_server import ValkeyCluster, ValkeyServer

Reply = Callable[[Answer], None]


class Model:
    """Answers with a number that counts up, when told to."""

    def __init__(self, size: int = 1) -> None:
        self.asked: list[Reply] = []
        self.size = size

    def __call__(self, reply: Reply) -> None:
        self.asked.append(reply)

    def answer(self, number: int = -1, status: int = 200) -> None:
        self.asked[number](Answer(status, b"%d" % len(self.asked) * self.size, headers=(("X", "1"),)))


def cache(shared: SharedCache | None = None, clock: Callable[[], float] = time.monotonic, **more: Any) -> ResponseCache:
    return ResponseCache(Settings(**{"cache_bytes": 100_000, **more}), shared, clock)


def test_an_equal_request_gets_the_kept_answer_until_it_is_too_old() -> None:
    now, model, got = [0.0], Model(), list[Answer]()
    kept = cache(clock=lambda: now[0], cache_seconds=10)

    kept.ask("k", got.append, model)
    model.answer()
    now[0] = 9.9
    kept.ask("k", got.append, model)
    now[0] = 10.0
    kept.ask("k", got.append, model)
    model.answer()

    assert [(one.body, one.headers) for one in got] == [
        (b"1", (("X", "1"),)),
        (b"1", (("X", "1"), ("X-Cache", "hit"))),
        (b"2", (("X", "1"),)),
    ]
    assert (kept.hits, kept.misses) == (1, 2)


def test_memory_is_bounded_and_the_answer_not_wanted_longest_goes_first() -> None:
    kept, got = cache(cache_bytes=3000), list[Answer]()
    for key in ("a", "b", "a", "c", "a", "b"):
        model = Model(size=800)
        kept.ask(key, got.append, model)
        if model.asked:
            model.answer()
        assert kept.bytes <= 3000

    assert (kept.hits, kept.misses) == (2, 4)  # a, a; the second b had made room for c
    huge = Model(size=5000)
    kept.ask("huge", got.append, huge)
    huge.answer()
    assert (kept.bytes, kept.hits) == (2 * (800 + 512), 2)


def test_an_error_is_not_kept() -> None:
    kept, model, got = cache(), Model(), list[Answer]()

    kept.ask("k", got.append, model)
    model.answer(status=500)
    kept.ask("k", got.append, model)
    model.answer()

    assert [one.status for one in got] == [500, 200]


def test_equal_requests_at_the_same_time_are_computed_once_where_asked_for() -> None:
    alone, together, got = cache(), cache(cache_single_flight=True), list[Answer]()
    for kept, calls in ((alone, 3), (together, 1)):
        model = Model()
        for _ in range(3):
            kept.ask("k", got.append, model)
        assert len(model.asked) == calls
        for number in range(calls):
            model.answer(number)

    assert len(got) == 6
    assert together.joined == 2


def test_nobody_waits_for_an_answer_that_may_come_later_than_its_own_is_due() -> None:
    kept, model, got = cache(cache_single_flight=True), Model(), list[Answer]()
    for due in (50.0, 51.0, 1.0):
        kept.ask("k", got.append, model, due)

    assert (len(model.asked), kept.joined) == (2, 1)
    model.answer(1)
    assert len(got) == 1
    model.answer(0)
    assert [one.status for one in got] == [200, 200, 200]


def test_an_error_of_the_one_that_is_computed_is_not_the_others() -> None:
    kept, model, got = cache(cache_single_flight=True), Model(), list[Answer]()
    for _ in range(3):
        kept.ask("k", got.append, model)

    model.answer(status=504)
    model.answer(1)
    model.answer(2)

    assert [one.status for one in got] == [504, 200, 200]


def test_whatever_may_change_the_answer_is_part_of_the_key() -> None:
    headers = {"content-type": "a", "accept": "b", "x-tensor-shape": "c", "x-amzn-sagemaker-custom-attributes": "d"}
    changed = [{**headers, name: "x"} for name in headers]
    keys = {key_of("1", one, b"body", attributes=True) for one in [headers, *changed]}
    keys |= {key_of("2", headers, b"body", attributes=True), key_of("1", headers, b"bodx", attributes=True)}

    assert len(keys) == 7
    assert key_of("1", headers, b"") == key_of("1", changed[-1], b"") == key_of("1", headers | {"date": "now"}, b"")


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer() as started:
        yield started


def ask(shared: SharedCache, key: str = "k", **more: Any) -> tuple[bytes, float, ResponseCache]:
    """The answer to one request of a fresh process, and how long it took."""

    async def scene() -> tuple[bytes, float, ResponseCache]:
        kept, model = cache(shared, **more), Model()
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def compute(reply: Reply) -> None:
            model(reply)
            model.answer()

        began = time.perf_counter()
        kept.ask(key, answered.set_result, compute)
        answer = await asyncio.wait_for(answered, 10)
        return answer.body, time.perf_counter() - began, kept

    return asyncio.run(scene())


def wait_until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_processes_share_answers_and_another_version_does_not_see_them(server: ValkeyServer) -> None:
    shared = SharedCache.connect(server.url, seconds=60, timeout_ms=1000)

    first = ask(shared, key_of("1", {}, b"x"))[2]
    wait_until(lambda: shared.get(["mlplatform:answer:" + key_of("1", {}, b"x")])[0])
    second = ask(shared, key_of("1", {}, b"x"))[2]
    other = ask(shared, key_of("2", {}, b"x"))[2]

    assert [(one.hits, one.misses) for one in (first, second, other)] == [(0, 1), (1, 0), (0, 1)]
    assert shared.errors == 0
    shared.close()


def test_hooks_find_features_of_their_own_version(server: ValkeyServer) -> None:
    shared = SharedCache.connect(server.url, seconds=0.2, timeout_ms=1000)
    features = Features(shared, "1")

    features.put("customer-1", b"\x00\x01")
    wait_until(lambda: features.get(["customer-1"])[0])

    assert features.get(["none", "customer-1"]) == [None, b"\x00\x01"]
    assert Features(shared, "2").get(["customer-1"]) == [None]
    wait_until(lambda: features.get(["customer-1"]) == [None])  # its time is over
    shared.close()


def test_a_cluster_is_asked_server_by_server_whichever_of_them_the_url_names(tmp_path: Path) -> None:
    names = [f"customer-{number}" for number in range(20)]
    with ValkeyCluster(tmp_path) as cluster:
        writer, reader = (SharedCache.connect(one.url, seconds=60, timeout_ms=1000) for one in cluster.servers)
        for name in names:
            Features(writer, "1").put(name, name.encode())
        wait_until(lambda: None not in Features(reader, "1").get(names))
        first = ask(writer, "k")[2]
        wait_until(lambda: reader.get(["mlplatform:answer:k"])[0])
        second = ask(reader, "k")[2]

        assert Features(reader, "1").get(["none", *reversed(names)]) == [None, *(one.encode() for one in names[::-1])]
        assert [(one.hits, one.misses) for one in (first, second)] == [(0, 1), (1, 0)]
        assert (writer.errors, reader.errors) == (0, 0)

        cluster.servers[1].__exit__()
        assert Features(reader, "1").get(names) == [None] * 20
        assert ask(reader, "another")[0] == b"1"
        writer.close()
        reader.close()


def refusing() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"valkey://127.0.0.1:{probe.getsockname()[1]}"


def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"valkey://127.0.0.1:{listening.getsockname()[1]}"


def nonsense() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def talk() -> None:
            while True:
                try:
                    taken, _ = listening.accept()
                except OSError:
                    return
                with taken:
                    taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        try:
            yield f"valkey://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts


@pytest.mark.parametrize("sickness", [refusing, silent, nonsense])
def test_a_sick_cache_costs_its_time_out_once_and_no_answer(sickness: Callable[[], Iterator[str]]) -> None:
    sick = sickness()
    shared = SharedCache.connect(next(sick), seconds=60, timeout_ms=300)

    body, _, _ = ask(shared, cache_timeout_ms=300)
    wait_until(lambda: shared.errors)
    asked_again = [ask(shared, cache_timeout_ms=300) for _ in range(5)]

    assert [body, *(one[0] for one in asked_again)] == [b"1"] * 6
    assert shared.left_out >= 5  # it rests: nobody waits for it
    assert Features(shared, "1").get(["a", "b"]) == [None, None]
    shared.close()
    sick.close()  # type: ignore[attr-defined]


def test_a_cache_that_gets_well_is_used_again() -> None:
    class Client:
        well = False

        def mget(self, names: list[str]) -> list[bytes | None]:
            if not self.well:
                raise OSError("no route to host")
            return [b"1" for _ in names]

        def close(self) -> None:
            """Nothing."""

    client = Client()
    shared = SharedCache(client, seconds=1, timeout_ms=1000)
    assert shared.get(["a"]) == [None]
    client.well = True
    wait_until(lambda: shared.get(["a"]) == [b"1"])

    assert shared.errors == 1
    shared.close()


def test_a_cache_nobody_can_reach_by_its_url_is_refused_at_once() -> None:
    with pytest.raises(CacheError, match="CACHE_URL must be valkey://host:port"):
        SharedCache.connect("memcached://x", seconds=1, timeout_ms=10)
