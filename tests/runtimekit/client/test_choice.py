"""Which region is asked?"""

from collections import Counter

import pytest

from mlplatform_cdk.runtimekit.client import Breaking, CallFailed, RegionClient, Retries
from mlplatform_cdk.runtimekit.client.regions import Regions, Ticket
from tests.runtimekit.client.virtual import DEAD, VirtualWire, always, between, client, reply, well, world


def ask(one: RegionClient, wire: VirtualWire, calls: int, every_s: float = 0.1) -> list[str]:
    """The regions that answered."""
    answered = []
    for _ in range(calls):
        answered.append(one.invoke(b"{}").region)
        wire.time += every_s
    return answered


def test_each_region_is_asked_once_and_then_the_fastest() -> None:
    wire = world(a=well(0.2), b=well(0.05), c=well(0.1))

    assert ask(client(wire), wire, 10) == ["a", "b", "c", *["b"] * 7]


def test_a_preferred_region_comes_first_however_slow() -> None:
    wire = world(a=well(0.02), b=well(0.05), c=well(0.3))

    assert set(ask(client(wire, prefer=["c"]), wire, 20)) == {"c"}


def test_where_the_preferred_one_is_down_latency_decides_among_the_others() -> None:
    wire = world(a=well(0.1), b=well(0.05), c=DEAD)

    assert set(ask(client(wire, prefer=["c"]), wire, 20)[2:]) == {"b"}


def test_a_region_that_becomes_slow_is_left_for_a_faster_one_and_asked_again_later() -> None:
    wire = world(a=between(10, 60, well(2.0), well(0.05)), b=well(0.1))
    one = client(wire)

    assert set(ask(one, wire, 40)[2:]) == {"a"}
    wire.time = 10
    slow = ask(one, wire, 40)
    assert slow.count("a") < 3
    wire.time = 60
    later = ask(one, wire, 4000, every_s=1.0)
    assert later[0] == "b"
    assert later[-1000:].count("a") > 990


def test_a_region_that_was_down_gets_its_calls_back_by_and_by() -> None:
    wire = world(a=between(5, 40, DEAD, well(0.05)), b=well(0.1))
    one = client(wire)

    while wire.time < 40:
        ask(one, wire, 1)
    tens = [Counter(ask(one, wire, 60, every_s=0.1))["a"] / 60 for _ in range(16)]
    back = next(index for index, share in enumerate(tens) if share > 0)

    assert tens[back] < 0.4
    assert tens[-1] == 1
    rising = tens[back:]
    assert max(early - late for early, late in zip(rising, rising[2:], strict=False)) < 0.25


def test_a_dead_region_is_asked_a_few_times_a_minute_however_many_calls_there_are() -> None:
    wire = world(a=DEAD, b=well(0.01))
    one = client(wire)

    answered = ask(one, wire, 6000, every_s=0.0)

    assert set(answered) == {"b"}
    assert wire.time > 60
    assert wire.asked().count("a") < 25


def test_where_all_are_left_alone_one_is_asked_all_the_same() -> None:
    wire = world(a=between(0, 500, DEAD, well()), b=between(0, 5000, DEAD, well()))
    one = client(wire)

    for _ in range(20):
        with pytest.raises(CallFailed):
            one.invoke(b"{}")
        wire.time += 0.1
    assert {status.state for status in one.status()} <= {"open", "half-open"}
    wire.time = 600

    assert one.invoke(b"{}").region == "a"


def test_a_region_that_asks_to_be_left_alone_is_left_alone_by_every_call() -> None:
    wire = world(a=between(0, 1, always(reply(429, retry_after="7")), well(0.01)), b=well(0.5))
    one = client(wire)

    first = one.invoke(b"{}")
    until = wire.sent[0].done_at + 7
    state = {status.region: status.state for status in one.status()}
    answered = ask(one, wire, 40)

    assert [str(attempt).split(" (")[0] for attempt in first.attempts] == ["a answered 429", "b answered 200"]
    assert state == {"a": "paused", "b": "closed"}
    assert [exchange.at >= until for exchange in wire.sent if exchange.region == "a"][1:]
    assert all(exchange.at >= until for exchange in wire.sent[1:] if exchange.region == "a")
    assert answered[-1] == "a"


def test_the_status_names_the_best_first() -> None:
    wire = world(a=well(0.2), b=well(0.05))
    one = client(wire)
    ask(one, wire, 4)

    best, second = one.status()

    assert (best.region, best.state, best.share) == ("b", "closed", 1)
    assert second.latency_s == pytest.approx(0.2, rel=0.02)


def test_a_call_asks_one_after_the_other_where_all_are_left_alone() -> None:
    wire = world(a=DEAD, b=DEAD)
    one = client(wire, breaking=Breaking(in_a_row=1, rest_s=60), retries=Retries(attempts=2))

    for _ in range(3):
        with pytest.raises(CallFailed) as failed:
            one.invoke(b"{}")
        assert {attempt.region for attempt in failed.value.attempts} == {"a", "b"}


def left_alone(*names: str) -> Regions:
    """Two regions, of which ``names`` failed, one a second after the other."""
    rules = Breaking(in_a_row=1, rest_s=10)
    regions = Regions(["a", "b"], prefer=["a"], rules=rules, chance=lambda: 1.0)
    for now, name in enumerate(names):
        regions.failed(Ticket(region=name, began=now, probe=False), now, why="failed")
    return regions


def test_a_region_that_must_be_tried_first_is_not_asked_beside_another() -> None:
    regions = left_alone("b")

    assert regions.next(20, {"a"}, in_use=True) is None
    assert regions.next(20, {"a"}) == Ticket(region="b", began=20, probe=True)


def test_where_all_are_left_alone_a_call_does_not_ask_the_same_one_twice() -> None:
    regions = left_alone("a", "b")

    assert regions.first(2) is regions.next(2, ()) is None
    assert [regions.anyway(2, avoid=one) for one in ("", "a", "b")] == [
        Ticket(region=one, began=2, probe=False) for one in ("a", "b", "a")
    ]
