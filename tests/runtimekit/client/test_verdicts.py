"""Does a client go by what the regions publish of themselves?"""

import json
from itertools import pairwise
from typing import get_args

import pytest

from mlplatform_cdk.runtimekit.client import CallFailed, Hedging, RegionClient, Watching
from mlplatform_cdk.runtimekit.client.verdicts import IN_SERVICE
from mlplatform_cdk.runtimekit.region_health.verdict import STALE, Status
from tests.runtimekit.client.virtual import DEAD, SILENT, VirtualWire, always, between, client, reply, well, world

IN = always(reply(200, b'{"status":"in-service"}'), 0.02)
DRAINED = always(reply(503, b'{"status":"drained"}'), 0.02)


def ask(one: RegionClient, wire: VirtualWire, calls: int, every_s: float = 0.5) -> list[str]:
    answered = []
    for _ in range(calls):
        answered.append(one.invoke(b"{}").region)
        wire.time += every_s
    return answered


def published(wire: VirtualWire, **health: object) -> VirtualWire:
    wire.health.update(health)  # type: ignore[arg-type]
    return wire


@pytest.mark.parametrize(
    "out",
    [
        DRAINED,
        always(reply(503, b'{"status":"stale"}'), 0.02),
        always(reply(200, b'{"status":"out-of-service"}'), 0.02),
    ],
)
def test_a_region_that_is_not_in_service_is_not_asked_from_the_first_call_on(out: object) -> None:
    wire = published(world(a=well(0.01), b=well(0.5)), a=out, b=IN)
    one = client(wire, prefer=["a"], hedging=Hedging(quantile=0.01, least_s=0))

    assert set(ask(one, wire, 60)) == {"b"}
    assert set(wire.asked()) == {"b"}
    assert {status.region: status.state for status in one.status()} == {"a": "out-of-service", "b": "closed"}


def test_a_region_that_is_drained_is_left_at_the_next_look_and_returned_to_by_and_by() -> None:
    wire = world(a=well(0.01), b=well(0.05))
    published(wire, a=between(100, 200, DRAINED, IN), b=IN)
    one = client(wire, prefer=["a"])

    while wire.time < 320:
        ask(one, wire, 1)
    asked = [(exchange.at, exchange.region) for exchange in wire.sent]

    assert {region for at, region in asked if at < 99} == {"a"}
    assert {region for at, region in asked if 131 < at < 200} == {"b"}
    back = [region for at, region in asked if 230 < at < 245]
    assert 0 < back.count("a") < len(back)
    assert {region for at, region in asked if at > 300} == {"a"}


def test_where_none_is_in_service_the_one_that_is_alive_is_asked() -> None:
    wire = published(world(a=well(), b=DEAD), a=DRAINED)
    one = client(wire, prefer=["b"])

    assert set(ask(one, wire, 20)) == {"a"}
    assert wire.asked()[:3] == ["b", "b", "a"]
    wire = published(world(a=well(), b=well()), a=DRAINED, b=DRAINED)
    assert ask(client(wire), wire, 1) == ["a"]


def test_a_region_whose_health_cannot_be_read_is_judged_by_its_calls_alone() -> None:
    for nothing in (always(reply(404), 0.02), always(reply(500), 0.02), DEAD):
        wire = published(world(a=well(0.01), b=well(0.5)), a=nothing, b=IN)
        assert set(ask(client(wire, prefer=["a"]), wire, 10)) == {"a"}


def test_a_verdict_that_is_not_renewed_counts_for_three_looks() -> None:
    wire = published(world(a=well(0.01), b=well(0.05)), a=between(0, 10, DRAINED, SILENT), b=IN)
    one = client(wire, prefer=["a"])

    while wire.time < 120:
        ask(one, wire, 1)

    assert wire.hung_looks[0].cancelled
    first = next(exchange.at for exchange in wire.sent if exchange.region == "a")
    assert 90 <= first < 92


def test_the_regions_are_looked_at_every_30_seconds_of_calls_and_never_without_calls() -> None:
    wire = published(world(a=well(), b=well()), a=IN, b=IN)
    one = client(wire)

    ask(one, wire, 220)
    seconds = wire.time
    wire.time += 10_000

    looks = [at for region, at in wire.looks if region == "a"]
    assert len(looks) == 1 + int(seconds / 30.5)
    assert all(30 <= late - early < 31 for early, late in pairwise(looks))
    assert len(ask(client(wire, watching=None), wire, 10)) == 10
    assert len(wire.looks) == 2 * len(looks)


def test_only_a_call_that_knows_nothing_waits_for_the_verdicts_and_not_for_long() -> None:
    slow = always(reply(200, b'{"status":"in-service"}'), 0.3)
    wire = published(world(a=well(0.05), b=well(0.05)), a=slow, b=SILENT)
    one = client(wire)

    one.invoke(b"")
    first = wire.time
    one.invoke(b"")
    second = wire.time - first
    wire.time = 31
    one.invoke(b"")

    assert (first, second, wire.time - 31) == pytest.approx((0.55, 0.05, 0.05))
    wire.time = 1000
    one.invoke(b"")
    assert wire.time - 1000 == pytest.approx(0.55)


def test_a_verdict_that_nobody_took_in_for_long_is_no_news() -> None:
    wire = published(world(a=well(0.01), b=well(0.05)), a=between(40, 50, DRAINED, IN), b=IN)
    one = client(wire, prefer=["a"])
    one.invoke(b"")
    wire.time = 45
    assert ask(one, wire, 1) == ["a"]  # the look has just begun
    published(wire, a=SILENT)

    wire.time = 1000

    assert ask(one, wire, 3) == ["a"] * 3


def test_waiting_for_verdicts_takes_at_most_half_of_a_calls_time() -> None:
    wire = published(world(a=SILENT), a=SILENT)

    with pytest.raises(CallFailed) as failed:
        client(wire, watching=Watching(wait_s=5)).invoke(b"", deadline_s=2)

    assert wire.time == pytest.approx(2)
    assert [one.seconds for one in failed.value.attempts] == pytest.approx([1])


def test_what_is_looked_for_is_what_the_probe_publishes() -> None:
    says = {status: IN_SERVICE in json.dumps({"status": status}).encode() for status in (*get_args(Status), STALE)}

    assert says == {"in-service": True, "out-of-service": False, "drained": False, "stale": False}
