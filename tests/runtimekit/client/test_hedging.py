"""When is a slow call asked again beside itself, and what does that cost?"""

import pytest

from mlplatform_cdk.runtimekit.client import Breaking, CallRefused, Hedging, RegionClient, Retries
from tests.runtimekit.client.virtual import (
    DEAD,
    SILENT,
    VirtualWire,
    always,
    between,
    client,
    reply,
    well,
    world,
)


def known(wire: VirtualWire, **options: object) -> RegionClient:
    """A client that knows the regions' usual times, of the 100 seconds before."""
    one = client(wire, **({"hedging": Hedging(), "prefer": ["a"]} | options))
    for _ in range(30):
        one.invoke(b"")
    wire.time = 100
    return one


def test_a_call_that_is_slower_than_usual_is_answered_by_another_region() -> None:
    wire = world(a=between(0, 100, well(0.05), well(3)), b=well(0.08))
    one = known(wire)

    answer = one.invoke(b"")

    assert (answer.region, wire.time) == ("b", pytest.approx(100.13))
    assert [str(attempt) for attempt in answer.attempts] == [
        "b answered 200 (0.08 s, hedge)",
        "a was not waited for (0.13 s)",
    ]
    loser, winner = wire.sent[-2:]
    assert (loser.region, loser.cancelled, winner.cancelled) == ("a", True, False)
    assert loser.request.headers == winner.request.headers


def test_the_first_answer_counts_whoever_gives_it() -> None:
    wire = world(a=between(0, 100, well(0.05), well(0.1)), b=well(3))

    answer = known(wire).invoke(b"")

    assert (answer.region, wire.time) == ("a", pytest.approx(100.1))
    assert wire.sent[-1].cancelled


def test_nothing_is_hedged_unless_asked_for_nor_what_may_not_be_processed_twice() -> None:
    for options, call in (({"hedging": None}, {}), ({}, {"idempotent": False})):
        wire = world(a=between(0, 100, well(0.05), well(3)), b=well(0.08))
        assert known(wire, **options).invoke(b"", **call).region == "a"  # type: ignore[arg-type]
        assert wire.asked(100) == ["a"]


def test_nothing_is_hedged_before_the_usual_time_is_known() -> None:
    wire = world(a=well(3), b=well(0.08))

    assert client(wire, hedging=Hedging(), prefer=["a"]).invoke(b"").region == "a"


def test_hedges_stay_within_their_budget_however_slow_a_region_is() -> None:
    wire = world(a=between(0, 100, well(0.05), well(1)), b=well(0.08))
    never = Breaking(in_a_row=1000, share=1, window=1000)
    one = known(wire, hedging=Hedging(share=0.05, reserve=5, quantile=0.5), breaking=never)

    for _ in range(400):
        one.invoke(b"")

    assert wire.asked(100).count("a") == 400
    assert 5 <= wire.asked(100).count("b") <= 0.05 * 400 + 5


def test_the_slow_one_still_counts_when_the_hedge_fails_and_the_other_way_round() -> None:
    wire = world(a=between(0, 100, well(0.05), well(1)), b=DEAD)
    assert known(wire).invoke(b"").region == "a"

    wire = world(a=between(0, 100, well(0.05), always(reply(500), 0.2)), b=well(1))
    answer = known(wire).invoke(b"")
    assert [(one.region, one.outcome) for one in answer.attempts] == [("a", "answered 500"), ("b", "answered 200")]


@pytest.mark.parametrize("status", [400, 403, 424])
def test_a_hedge_that_is_refused_ends_no_call_that_the_first_region_answers(status: int) -> None:
    wire = world(a=between(0, 100, well(0.05), well(1)), b=always(reply(status), 0.01))
    one = known(wire)

    answers = [one.invoke(b"") for _ in range(6)]

    assert {answer.region for answer in answers} == {"a"}
    assert {status.region: status.state for status in one.status()} == {"a": "closed", "b": "open"}


def test_a_request_that_is_wrong_ends_the_call_when_nobody_else_answers() -> None:
    for first in (SILENT, always(reply(503), 1), always(reply(400), 1)):
        wire = world(a=between(0, 100, well(0.05), first), b=always(reply(400), 0.01))

        with pytest.raises(CallRefused, match="refused the request with 400"):
            known(wire).invoke(b"")
        assert wire.asked(100) == ["a", "b"]

    wire = world(a=between(0, 100, well(0.05), always(reply(400), 0.2)), b=SILENT)
    with pytest.raises(CallRefused, match="a refused the request with 400"):
        known(wire).invoke(b"")
    assert wire.sent[-1].cancelled


def test_a_hedge_counts_among_the_attempts_of_its_call() -> None:
    wire = world(a=between(0, 100, well(0.05), well(1)), b=well(0.08))

    assert known(wire, retries=Retries(attempts=1)).invoke(b"").region == "a"


def test_a_preferred_region_that_hangs_is_left_when_it_has_lost_five_times_in_a_row() -> None:
    wire = world(a=between(0, 100, well(0.05), SILENT), b=well(0.08))
    one = known(wire)

    answers = [one.invoke(b"") for _ in range(30)]

    assert {answer.region for answer in answers} == {"b"}
    assert [len(answer.attempts) for answer in answers] == [2] * 5 + [1] * 25


def test_a_region_that_keeps_losing_is_no_longer_the_fastest() -> None:
    wire = world(a=between(0, 100, well(0.05), well(3)), b=well(0.08))
    one = known(wire, prefer=[])

    for _ in range(300):
        one.invoke(b"")

    assert set(wire.asked(wire.time - 5)) == {"b"}
