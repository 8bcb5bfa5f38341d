"""Which connections are kept, and for how long?"""

import http.client
import socket
from collections.abc import Callable, Iterator

import pytest

from mlplatform_cdk.runtimekit.client import pool as pools
from mlplatform_cdk.runtimekit.client.pool import IDLE_S, Pool

ORIGIN = ("https", "a.example.com")
Make = Callable[[], http.client.HTTPConnection]


@pytest.fixture
def make() -> Iterator[Make]:
    ends: list[socket.socket] = []

    def connection() -> http.client.HTTPConnection:
        made = http.client.HTTPConnection("a.example.com")
        made.sock, other = socket.socketpair()
        ends.extend([made.sock, other])
        return made

    yield connection
    for one in ends:
        one.close()


def test_the_connection_that_was_used_last_is_taken_first_and_only_for_its_own_region(make: Make) -> None:
    pool, early, late = Pool(), make(), make()
    pool.give(ORIGIN, early)
    pool.give(ORIGIN, late)

    assert pool.take(("https", "b.example.com")) is None
    assert [pool.take(ORIGIN), pool.take(ORIGIN), pool.take(ORIGIN)] == [late, early, None]


def test_a_connection_that_was_idle_for_long_is_closed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pools.time, "monotonic", lambda: now[0])
    pool, one = Pool(), make()

    pool.give(ORIGIN, one)
    now[0] += IDLE_S - 1
    assert pool.take(ORIGIN) is one
    pool.give(ORIGIN, one)
    now[0] += IDLE_S

    assert pool.take(ORIGIN) is None
    assert one.sock is None


def test_a_pool_that_is_closed_keeps_nothing(make: Make) -> None:
    pool, idle, used = Pool(), make(), make()
    pool.give(ORIGIN, idle)

    pool.close()
    pool.give(ORIGIN, used)

    assert idle.sock is used.sock is None
    assert pool.take(ORIGIN) is None
