"""When is green worse, and when was it bad luck?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplatform_cdk.release.blue_green.runtime.evidence import Verdict, Window, judge
from tests.release.evidence.measured import BUDGET_MS, LADDER, RULES, period, window

GOOD = window(*(period(requests=1000) for _ in range(5)))


def verdict(green: Window, blue: Window | None = None, **changes: Any) -> Verdict:
    arguments = {name: changes.pop(name) for name in ("since", "alarms") if name in changes}
    return judge(replace(RULES, **changes), green, blue, budget_ms=BUDGET_MS, **arguments)


def test_a_green_without_a_fault_is_good() -> None:
    found = verdict(GOOD, GOOD)

    assert (found.ok, found.reasons) == (True, ())
    assert found.metrics["green"]["requests"] == 5000
    assert found.metrics["green"]["error_share"] == 0


def test_too_few_requests_give_no_verdict_and_say_how_many_are_lacking() -> None:
    found = verdict(window(period(requests=99)), GOOD)

    assert found.ok is None
    assert found.reasons == ("green must have answered 100 requests for a verdict, got 99",)


def test_an_endpoint_that_nobody_asks_has_no_verdict() -> None:
    assert verdict(Window(ladder_ms=LADDER), None).ok is None


@pytest.mark.parametrize(
    ("green", "blue", "ok"),
    [
        pytest.param((1, 100), (0, 100), True, id="1 of 100 against 0 of 100 is luck"),
        pytest.param((1, 100), (0, 10_000), True, id="one failure is never a proof"),
        pytest.param((30, 3000), (0, 3000), False, id="1 % of thousands against 0 is a fault"),
        pytest.param((10, 1000), (0, 19_000), False, id="1 % of 5 % of the traffic against 0 is a fault"),
        pytest.param((30, 3000), (25, 3000), True, id="the same share as blue's is blue's weather"),
        pytest.param((27, 3000), (18, 3000), True, id="1.5 times blue's share is within twice"),
        pytest.param((5, 5), (0, 95), False, id="five failures of five need no hundredth request"),
        pytest.param((3, 3), (0, 100), None, id="three failures of three may be one caller's"),
    ],
)
def test_failures_are_held_against_blue_with_respect_to_luck(
    green: tuple[int, int],
    blue: tuple[int, int],
    ok: bool | None,  # noqa: FBT001 - the expected verdict
) -> None:
    one, two = (window(period(failures=failures, requests=requests)) for failures, requests in (green, blue))

    assert verdict(one, two).ok is ok


def test_more_failures_than_allowed_are_a_breach_without_any_blue() -> None:
    found = verdict(window(period(failures=40, requests=1000)), None)

    assert found.ok is False
    assert found.reasons == ("40 of green's 1000 requests failed, which is more than 1 %",)


def test_a_share_just_above_the_bound_is_no_proof() -> None:
    assert verdict(window(period(failures=11, requests=1000)), None).ok is True


def test_callers_mistakes_are_no_fault_unless_blue_takes_what_green_refuses() -> None:
    mistaken = window(period(refusals=500, requests=1000))

    assert verdict(mistaken, mistaken).ok is True
    assert verdict(mistaken, None).ok is True
    (reason,) = verdict(mistaken, GOOD).reasons
    assert reason.startswith("500 of green's 1000 requests were refused with 4xx where 0 of blue's 1000 were")


def test_failures_are_compared_within_periods_so_that_a_bad_hour_for_both_blames_nobody() -> None:
    # Green gets little traffic while all is well, and most of it while a store that both need is down.
    green = window(period(requests=100), period(requests=900, failures=90))
    blue = window(period(requests=9900), period(requests=100, failures=10))

    assert "failures_to_blue" in verdict(green, blue, most_errors=0.5).metrics["evidence"]
    assert verdict(green, blue, most_errors=0.5).ok is True


def test_a_small_fault_is_proved_by_all_windows_together() -> None:
    green = window(*(period(requests=100, failures=1) for _ in range(8)))
    blue = window(*(period(requests=1900) for _ in range(8)))

    assert verdict(window(*green.periods[-1:]), blue, since=420.0).ok is True
    assert verdict(green, blue, since=420.0).ok is False


def test_a_late_fault_is_not_outvoted_by_a_good_beginning() -> None:
    green = window(*(period(requests=5000) for _ in range(8)), period(requests=100, failures=20))

    assert verdict(green, None, since=480.0).ok is False


def test_a_p99_over_the_budget_is_a_breach() -> None:
    found = verdict(window(period(requests=1000, latencies={20.0: 950, 300.0: 50})), None)

    assert found.ok is False
    assert found.reasons == ("the p99 of green's latency must be within 100 ms: 50 of 1000 took longer",)


def test_a_p99_at_the_budget_is_none() -> None:
    assert verdict(window(period(requests=1000, latencies={20.0: 990, 300.0: 10})), None).ok is True


def test_a_bound_on_the_median_is_kept_by_half_of_the_requests() -> None:
    green = window(period(requests=1000, latencies={20.0: 300, 60.0: 700}))

    ladder = judge(replace(RULES, latency_p50_ms=50.0), replace(green), None, budget_ms=BUDGET_MS)

    assert ladder.ok is False
    assert "the p50 of green's latency must be within 50 ms: 700 of 1000 took longer" in ladder.reasons


def test_green_may_not_be_much_slower_than_blue_though_within_the_budget() -> None:
    slow, fast = {20.0: 900, 90.0: 100}, {20.0: 1000}

    found = verdict(window(period(requests=1000, latencies=slow)), window(period(requests=1000, latencies=fast)))

    assert found.ok is False
    assert "the p99 of green's latency must be within 1.5 times blue's" in found.reasons[0]


def test_no_difference_counts_among_answers_far_below_the_budget() -> None:
    green = window(period(requests=1000, latencies={6.0: 1000}))
    blue = window(period(requests=1000, latencies={1.0: 1000}))

    assert verdict(green, blue).ok is True


def test_a_blue_with_few_requests_is_no_measure_of_a_p99() -> None:
    green = window(period(requests=1000, latencies={20.0: 900, 90.0: 100}))
    blue = window(period(requests=50, latencies={20.0: 50}))

    assert verdict(green, blue).ok is True


def test_a_machine_that_is_busy_for_three_periods_is_a_breach_and_a_moment_is_none() -> None:
    periods = [*GOOD.periods]

    assert verdict(window(*periods, cpu_percent=(50.0, 99.0, 98.0, 97.0)), None).reasons == (
        "green's CPU must be at most 95 percent busy, got 99, 98, 97",
    )
    assert verdict(window(*periods, cpu_percent=(99.0, 99.0, 50.0)), None).ok is True
    assert verdict(window(*periods, memory_percent=(95.0, 95.0, 95.0)), None).ok is False
    assert verdict(window(*periods, gpu_percent=(99.0, 99.0, 99.0)), None, gpu_percent=None).ok is True


def test_an_alarm_is_a_breach_by_itself() -> None:
    found = verdict(GOOD, GOOD, alarms=["revenue"])

    assert (found.ok, found.reasons) == (False, ("the alarm revenue is in alarm",))


def test_rules_that_are_switched_off_are_not_judged() -> None:
    green = window(period(requests=1000, refusals=900, latencies={20.0: 900, 90.0: 100}))
    blue = window(period(requests=1000))

    assert verdict(green, blue, error_ratio_to_blue=None, latency_ratio_to_blue=None).ok is True


counts = st.tuples(st.integers(0, 2000), st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: (drawn[0], int(drawn[0] * drawn[1]), int(drawn[0] * (1 - drawn[1]) * drawn[2]))
)


@given(green=st.lists(counts, max_size=5), blue=st.lists(counts, max_size=5))
def test_whatever_was_measured_there_is_a_verdict_that_json_takes(
    green: list[tuple[int, int, int]], blue: list[tuple[int, int, int]]
) -> None:
    one, two = (
        window(*(period(requests=requests, failures=bad, refusals=refused) for requests, bad, refused in drawn))
        for drawn in (green, blue)
    )

    found = verdict(one, two, since=60.0)

    assert json.loads(json.dumps(found.metrics, allow_nan=False)) == found.metrics
    assert (found.ok is True) is (found.reasons == ())
    assert found.ok is not True or sum(one.requests for one in one.since(60.0)) >= RULES.minimum_requests


@given(requests=st.integers(1, 3000), failures=st.integers(0, 3000), more=st.integers(1, 500))
def test_more_failures_never_make_a_bad_green_good(requests: int, failures: int, more: int) -> None:
    few, many = (min(count, requests) for count in (failures, failures + more))

    was_bad, is_bad = (
        verdict(window(period(requests=requests, failures=count)), GOOD).ok is False for count in (few, many)
    )

    assert is_bad or not was_bad
