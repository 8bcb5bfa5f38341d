"""Do the tests keep their word, however often one looks?"""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplatform_cdk.release.blue_green.runtime.evidence.significance import above, worse

STREAMS, REQUESTS = 300, 1500
ONE_IN = 20  # a proof so weak that a few hundred streams can show whether it keeps its rate


def test_a_share_on_its_bound_is_blamed_at_the_stated_rate_at_most_though_looked_at_after_every_request() -> None:
    chance = random.Random(1)

    assert _blamed(lambda: _alone(chance, share=0.05, bound=0.05)) <= STREAMS / ONE_IN


def test_a_share_of_twice_its_bound_is_found() -> None:
    chance = random.Random(2)

    assert _blamed(lambda: _alone(chance, share=0.1, bound=0.05)) > 0.95 * STREAMS


def test_a_green_like_blue_is_blamed_at_the_stated_rate_at_most_though_the_day_and_the_traffic_change() -> None:
    chance = random.Random(3)

    assert _blamed(lambda: _compared(chance, ratio=1.0)) <= STREAMS / ONE_IN


def test_a_green_of_three_times_blues_failures_is_found() -> None:
    chance = random.Random(4)

    assert _blamed(lambda: _compared(chance, ratio=3.0)) > 0.95 * STREAMS


@pytest.mark.parametrize(("count", "total"), [(0, 0), (0, 10), (10, 10), (10**6, 10**7)])
def test_a_bound_of_everything_cannot_be_broken_and_a_bound_of_nothing_is_broken_by_one(count: int, total: int) -> None:
    assert above(count, total, 1.0) == 1.0
    assert (above(count, total, 0.0) > 1e6) is (count > 0)


@given(total=st.integers(1, 10**6), bound=st.floats(0.001, 0.9), data=st.data())
def test_more_failures_never_speak_less_for_a_fault(total: int, bound: float, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total - 1))

    assert above(count, total, bound) <= above(count + 1, total, bound)


@given(green=st.integers(0, 1000), blue=st.integers(0, 1000), ratio=st.floats(1, 10), requests=st.integers(1000, 10**6))
def test_a_failure_of_green_speaks_against_it_and_one_of_blue_for_it(
    green: int, blue: int, ratio: float, requests: int
) -> None:
    now = worse([(green, requests, blue, requests)], ratio)

    assert worse([(green + 1, requests, blue, requests)], ratio) >= now
    assert worse([(green, requests, blue + 1, requests)], ratio) <= now


def test_periods_without_one_of_the_two_say_nothing() -> None:
    assert worse([(50, 100, 0, 0), (0, 0, 3, 100), (0, 100, 0, 100)], 2.0) == 1.0


def _blamed(stream: Callable[[], bool]) -> int:
    return sum(stream() for _ in range(STREAMS))


def _alone(chance: random.Random, *, share: float, bound: float) -> bool:
    count = 0
    for total in range(1, REQUESTS + 1):
        count += chance.random() < share
        if total % 5 == 0 and above(count, total, bound) >= ONE_IN:
            return True
    return False


def _compared(chance: random.Random, *, ratio: float) -> bool:
    """Failures of both rise and fall by the hour, while green gets more and more of the requests."""
    strata: list[tuple[int, int, int, int]] = []
    for hour, part in enumerate((0.05, 0.2, 0.35, 0.5, 0.65, 0.8)):
        share = (0.01, 0.08, 0.02)[hour % 3]
        counts = [0, 0, 0, 0]
        for number in range(REQUESTS // 3):
            of_green = chance.random() < part
            failed = chance.random() < share * (ratio if of_green else 1)
            place = 0 if of_green else 2
            counts[place] += failed
            counts[place + 1] += 1
            looked = number % 25 == 0 and worse([*strata, (counts[0], counts[1], counts[2], counts[3])], 1.0) >= ONE_IN
            if looked:
                return True
        strata.append((counts[0], counts[1], counts[2], counts[3]))
    return False
