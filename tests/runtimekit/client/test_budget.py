"""Can a client make a storm of its retries?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.runtimekit.client import CallFailed, Hedging, Limits, Retries
from mlplatform_cdk.runtimekit.client.budget import Budget
from tests.runtimekit.client.virtual import (
    CUT,
    NEVER,
    REFUSED,
    Behaviour,
    VirtualWire,
    client,
    reply,
    world,
)


def test_a_bucket_gives_what_it_has_and_holds_no_more_than_its_reserve() -> None:
    bucket = Budget(share=0.5, reserve=2)

    assert [bucket.take() for _ in range(3)] == [True, True, False]
    bucket.earn()
    assert not bucket.take()
    bucket.earn()
    assert bucket.take()
    for _ in range(100):
        bucket.earn()
    assert bucket.left == 2


def test_when_every_region_is_down_each_call_makes_one_attempt_once_the_reserve_is_spent() -> None:
    wire = world(a=lambda *_: (0.001, REFUSED), b=lambda *_: (0.001, REFUSED))
    one = client(wire, retries=Retries(reserve=30))

    for _ in range(100):
        with pytest.raises(CallFailed):
            one.invoke(b"")
    spent = len(wire.sent)
    for _ in range(100):
        with pytest.raises(CallFailed, match="given up, since the retry budget is used up"):
            one.invoke(b"")

    assert (spent, len(wire.sent) - spent) == (130, 100)


def test_calls_that_succeed_pay_for_later_retries() -> None:
    outcomes = iter([500, 200, 200, 500, 200, 500])
    wire = world(a=lambda *_: (0.01, reply(next(outcomes))))
    one = client(wire, retries=Retries(share=0.5, reserve=1))

    assert [len(one.invoke(b"").attempts) for _ in range(3)] == [2, 1, 2]
    with pytest.raises(CallFailed, match="the retry budget is used up"):
        one.invoke(b"")


OUTCOMES = st.sampled_from(
    [reply(), reply(), reply(500), reply(503), reply(429), reply(429, retry_after="1"), REFUSED, CUT]
)
TIMES = st.sampled_from([0.001, 0.05, 0.05, 0.5, NEVER])


@st.composite
def moods(draw: st.DrawFn) -> Behaviour:
    """A region that changes its mind every few seconds."""
    phases = draw(st.lists(st.tuples(OUTCOMES, TIMES, OUTCOMES, TIMES, st.floats(0, 1)), min_size=1, max_size=5))
    length = draw(st.floats(0.5, 30))

    def behave(now: float, chance: float) -> tuple[float, object]:
        usual, usual_s, other, other_s, part = phases[int(now / length) % len(phases)]
        return (usual_s, usual) if chance < part else (other_s, other)

    return behave  # type: ignore[return-value]


HEALTHS = st.sampled_from([reply(404), reply(503), reply(body=b'{"status":"in-service"}'), REFUSED])


@st.composite
def healths(draw: st.DrawFn) -> Behaviour:
    """What a region says of itself, which need not be true."""
    first, then, seconds, turns = draw(HEALTHS), draw(HEALTHS), draw(TIMES), draw(st.floats(0, 60))
    return lambda now, _: (seconds, first if now < turns else then)


@settings(max_examples=60, deadline=None)
@given(
    behaviours=st.lists(st.tuples(moods(), healths()), min_size=1, max_size=4),
    share=st.sampled_from([0.0, 0.1, 0.2]),
    reserve=st.integers(0, 20),
    hedging=st.sampled_from([None, Hedging(), Hedging(share=0.1, reserve=2, quantile=0.5)]),
    calls=st.integers(1, 120),
    seed=st.integers(0, 1000),
)
def test_attempts_never_exceed_the_calls_and_their_budgets_and_no_call_its_deadline(
    behaviours: list[tuple[Behaviour, Behaviour]],
    share: float,
    reserve: int,
    hedging: Hedging | None,
    calls: int,
    seed: int,
) -> None:
    wire = VirtualWire({f"r{index}": one for index, (one, _) in enumerate(behaviours)}, seed)
    wire.health = {f"r{index}": one for index, (_, one) in enumerate(behaviours)}
    retries = Retries(attempts=5, share=share, reserve=reserve)
    one = client(wire, retries=retries, hedging=hedging, limits=Limits(deadline_s=3, attempt_s=0.6, connect_s=0.5))
    hedges = 0

    for made in range(1, calls + 1):
        began, sent = wire.time, len(wire.sent)
        try:
            attempts = one.invoke(b"").attempts
        except CallFailed as failed:
            attempts = failed.attempts
        hedges += sum(attempt.hedge for attempt in attempts)
        assert len(attempts) == len(wire.sent) - sent <= retries.attempts
        assert wire.time <= began + 3 + 1e-9
        assert len(wire.sent) - hedges <= made * (1 + share) + reserve + 1e-6
        assert hedging is None or hedges <= made * hedging.share + hedging.reserve + 1e-6
        wire.time += 0.01

    assert hedges == 0 or hedging is not None
