"""When is a region left alone, and how is it returned to?"""

import pytest

from mlplatform_cdk.runtimekit.client.breaker import FIRST_SHARE, Breaker
from mlplatform_cdk.runtimekit.client.policy import Breaking

RULES = Breaking(in_a_row=3, share=0.2, window=20, window_s=60, rest_s=5, longest_rest_s=20, return_s=40)


def breaker(chance: float = 1.0) -> Breaker:
    return Breaker(RULES, lambda: chance)


def fail(one: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        one.failed(now, began=now, probe=one.begin(now))


def succeed(one: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        one.succeeded(now, began=now, probe=one.begin(now))


def opened() -> Breaker:
    one = breaker()
    fail(one, 0, 3)
    return one


def test_failures_in_a_row_leave_the_region_and_one_success_between_them_does_not() -> None:
    one = breaker()

    fail(one, 0, 2)
    succeed(one, 0)
    fail(one, 0, 1)
    assert (one.state(0), one.share(0)) == ("closed", 1)

    fail(one, 0, 2)
    assert (one.state(0), one.share(0)) == ("open", 0)


def test_a_fifth_that_fails_is_too_much_even_when_never_two_fail_in_a_row() -> None:
    one = breaker()

    for round_ in range(3):
        fail(one, round_)
        succeed(one, round_, 4)
    assert one.state(3) == "closed"

    fail(one, 3)
    assert one.open_until == 3 + RULES.rest_s


def test_what_failed_a_minute_ago_no_longer_counts() -> None:
    one = breaker()

    for now in (0, 30, 61, 92):
        fail(one, now)
        succeed(one, now)

    assert one.state(92) == "closed"


def test_one_call_at_a_time_tries_whether_the_region_is_back() -> None:
    one = opened()

    assert not one.begin(4.9)
    assert one.begin(5)
    assert (one.state(5), one.share(5), one.begin(5)) == ("half-open", 0, False)


def test_each_try_that_fails_doubles_the_rest_up_to_its_longest() -> None:
    one, rests = opened(), []

    for _ in range(4):
        assert one.open_until is not None
        now = one.open_until
        fail(one, now)
        rests.append(one.open_until - now)

    assert rests == [10, 20, 20, 20]


def test_the_rest_is_shorter_by_up_to_a_half_at_random() -> None:
    for chance, until in ((0.0, 2.5), (0.5, 3.75), (1.0, 5.0)):
        one = breaker(chance)
        fail(one, 0, 3)
        assert one.open_until == until


def test_a_region_that_answers_again_gets_its_calls_back_by_and_by() -> None:
    one = opened()

    succeed(one, 5)

    assert [one.share(5 + seconds) for seconds in (0, 1, 10, 20, 40, 90)] == [FIRST_SHARE, FIRST_SHARE, 0.25, 0.5, 1, 1]
    assert (one.state(6), one.state(45)) == ("returning", "closed")


def test_a_region_that_fails_again_while_it_returns_rests_longer_and_one_that_failed_long_after_does_not() -> None:
    soon, late = opened(), opened()
    succeed(soon, 5)
    succeed(late, 5)

    fail(soon, 10, 3)
    fail(late, 100, 3)

    assert (soon.open_until, late.open_until) == (20, 105)


def test_a_try_that_nobody_waited_for_is_made_again_after_the_same_rest() -> None:
    one = opened()

    one.abandoned(5, probe=one.begin(5))

    assert one.open_until == 10
    assert one.begin(10)


@pytest.mark.parametrize("fine", [True, False])
def test_what_began_before_the_region_was_left_says_nothing_about_it_now(fine: bool) -> None:  # noqa: FBT001
    one = opened()
    late = one.succeeded if fine else one.failed

    late(6, began=-1, probe=False)
    assert one.state(4) == "open"

    succeed(one, 6)
    for _ in range(5):
        late(7, began=-1, probe=False)
    assert one.share(7) == FIRST_SHARE


def test_an_answer_of_a_region_that_had_to_be_asked_all_the_same_brings_it_back() -> None:
    one = opened()

    one.succeeded(2, began=1, probe=False)

    assert one.state(2) == "returning"
