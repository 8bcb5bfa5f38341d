"""What is next in a release, and what does a look at green decide?"""

from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.changes import most_events
from mlplatform_cdk.release.blue_green.runtime.core import AGAIN, BACK, ON, Move, pause_s, schedule, seen, shares
from mlplatform_cdk.runtimekit.release_strategy import MOST_LOOKS, MOST_STEPS, Gate, Strategy, VerdictRules

MINUTE = timedelta(minutes=1)
NOTHING = timedelta(0)
WINDOW = Move(kind="observe", percent=20.0, looks=6, longest=12, every_s=10)


def told(strategy: Strategy) -> list[tuple[str, float]]:
    return [(one.kind, one.percent) for one in schedule(strategy)]


def look(looks: int, *, ok: bool | None, alarms: tuple[str, ...] = (), move: Move = WINDOW, **rules: Any) -> str:
    strategy = Strategy.all_at_once(rules=VerdictRules(**rules))
    return seen(strategy, move, looks=looks, ok=ok, alarms=alarms).what


def test_each_step_has_its_window_and_the_bake_comes_last() -> None:
    assert told(Strategy.canary(20, observe=MINUTE)) == [
        ("beside", 0),
        ("shift", 20),
        ("observe", 20),
        ("shift", 100),
        ("observe", 100),
        ("bake", 100),
        ("finish", 100),
    ]


def test_a_gate_stands_after_the_window_of_its_step() -> None:
    strategy = Strategy.canary(20, observe=MINUTE, bake=NOTHING, gates=(Gate(0), Gate(20)))

    assert told(strategy)[:5] == [("beside", 0), ("gate", 0), ("shift", 20), ("observe", 20), ("gate", 20)]


def test_a_shadow_is_watched_before_green_stands_beside_blue() -> None:
    assert [kind for kind, _ in told(Strategy.shadow(50, observe=MINUTE))][:4] == [
        "shadow",
        "observe",
        "beside",
        "shift",
    ]


def test_nothing_to_wait_for_is_no_move() -> None:
    assert told(Strategy.all_at_once(observe=NOTHING, bake=NOTHING)) == [
        ("beside", 0),
        ("shift", 100),
        ("finish", 100),
    ]


@pytest.mark.parametrize("percent", [0, 5, 35, 99.99, 100])
def test_the_weights_of_both_are_one_together(percent: float) -> None:
    green, blue = shares("b", "a", percent)

    assert (green["VariantName"], blue["VariantName"]) == ("b", "a")
    assert green["DesiredWeight"] == pytest.approx(percent / 100)
    assert green["DesiredWeight"] + blue["DesiredWeight"] == pytest.approx(1)


@pytest.mark.parametrize("looks", [1, 6])
def test_an_alarm_ends_a_window_at_any_look(looks: int) -> None:
    assert look(looks, ok=True, alarms=("orders",)) == BACK


def test_a_bad_verdict_does_not_wait_for_the_windows_end() -> None:
    assert look(1, ok=False) == BACK


def test_a_good_verdict_counts_at_the_windows_end() -> None:
    assert (look(5, ok=True), look(6, ok=True)) == (AGAIN, ON)


@pytest.mark.parametrize(
    ("without", "looks", "what"),
    [("wait", 6, AGAIN), ("wait", 12, BACK), ("pass", 6, ON), ("fail", 6, AGAIN), ("fail", 12, BACK)],
)
def test_too_few_requests_mean_what_the_rules_say(without: str, looks: int, what: str) -> None:
    assert look(looks, ok=None, without_enough_requests=without) == what


def test_a_bake_without_requests_ends_well() -> None:
    bake = Move(kind="bake", percent=100.0, looks=6, longest=6, every_s=10)

    assert look(6, ok=None, move=bake) == ON


def test_a_move_goes_through_the_machines_data() -> None:
    assert Move.from_mapping({**WINDOW.to_mapping(), "next": 4, "weights": []}) == WINDOW


def test_a_change_is_looked_for_often_at_first() -> None:
    assert (pause_s(1), pause_s(60)) == (5, 30)
    assert (pause_s(1, slow_s=90), pause_s(60, slow_s=90)) == (5, 90)


def test_the_longest_release_fits_in_the_history_of_an_execution() -> None:
    assert most_events(MOST_LOOKS, MOST_STEPS) < 25_000
