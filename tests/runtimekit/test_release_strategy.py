"""What can a release's strategy say, and what does it refuse?"""

import json
from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.release_strategy import (
    MOST_LOOKS,
    Gate,
    Strategy,
    StrategyError,
    VerdictRules,
)


def test_the_default_goes_from_five_percent_in_steps_of_fifteen() -> None:
    assert Strategy.linear().steps == (5, 20, 35, 50, 65, 80, 95, 100)


@pytest.mark.parametrize(
    ("strategy", "steps"),
    [
        pytest.param(Strategy.linear(first=10, by=30), (10, 40, 70, 100), id="the last step lands on all"),
        pytest.param(Strategy.linear(first=100), (100,), id="the first step may be all"),
        pytest.param(Strategy.canary(2), (2, 100), id="canary"),
        pytest.param(Strategy.all_at_once(), (100,), id="all at once"),
        pytest.param(Strategy.shadow(50), (100,), id="shadow"),
    ],
)
def test_a_preset_is_a_schedule(strategy: Strategy, steps: tuple[float, ...]) -> None:
    assert strategy.steps == steps


def test_a_shadow_answers_copies_first() -> None:
    assert (Strategy.shadow(50).shadow_percent, Strategy.all_at_once().shadow_percent) == (50, 0)


def test_time_is_counted_in_looks() -> None:
    strategy = Strategy.linear(observe=timedelta(seconds=65), bake=timedelta(hours=24))

    assert strategy.window_looks == 7
    assert (strategy.bake_looks, strategy.bake_every) == (96, timedelta(minutes=15))


def test_a_short_bake_looks_as_often_as_a_window() -> None:
    strategy = Strategy.all_at_once(bake=timedelta(minutes=1))

    assert (strategy.bake_looks, strategy.bake_every) == (6, timedelta(seconds=10))


def test_nothing_to_observe_and_no_bake_are_no_looks() -> None:
    strategy = Strategy.all_at_once(observe=timedelta(0), bake=timedelta(0))

    assert (strategy.window_looks, strategy.bake_looks, strategy.most_looks) == (0, 0, 0)


def test_green_without_enough_requests_is_waited_for_within_bounds() -> None:
    impatient = Strategy.all_at_once(rules=VerdictRules(without_enough_requests="fail"))

    assert Strategy.all_at_once(patience=4).longest_window_looks == 240
    assert impatient.longest_window_looks == impatient.window_looks == 60


def test_a_strategy_goes_through_json_and_back() -> None:
    strategy = Strategy.linear(
        gates=(Gate(50, timedelta(hours=2)),), rules=VerdictRules(latency_p99_ms=80, gpu_percent=None), supersede=True
    )

    assert Strategy.from_mapping(json.loads(json.dumps(strategy.to_mapping()))) == strategy
    assert strategy.to_mapping()["retention"] == 7 * 24 * 3600


def test_the_default_looks_no_more_often_than_a_history_holds() -> None:
    assert Strategy.linear().most_looks <= MOST_LOOKS


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param({"steps": ()}, "must rise from above 0 and end with 100", id="no steps"),
        pytest.param({"steps": (*tuple(range(1, 100, 4)), 100)}, "there may be 20 steps", id="too many"),
        pytest.param({"steps": (5, 50)}, "end with 100 percent, got", id="not all in the end"),
        pytest.param({"steps": (50, 20, 100)}, "must rise", id="falling"),
        pytest.param({"steps": (100,), "gates": (Gate(40),)}, "at 0 or at one of the steps", id="a gate nowhere"),
        pytest.param({"steps": (100,), "gates": (Gate(100), Gate(100))}, "one gate at a step", id="two gates"),
        pytest.param({"steps": (100,), "look_every": timedelta(milliseconds=5)}, "a second or more", id="hasty"),
        pytest.param({"steps": (100,), "bake": timedelta(-1)}, "bake must not be negative", id="negative"),
        pytest.param({"steps": (100,), "kept_versions": 0}, "kept_versions must be 1 or more", id="nothing kept"),
        pytest.param(
            {"steps": (100,), "observe": timedelta(days=1)}, "look less often", id="more than a history holds"
        ),
    ],
)
def test_what_no_release_could_do_is_refused_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StrategyError, match=sentence):
        Strategy(**arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"minimum_requests": -1}, "minimum_requests must be 0 or more"),
        ({"most_errors": 2}, "a share from 0 to 1"),
        ({"latency_p99_ms": 0}, "latency_p99_ms must be above 0"),
        ({"error_ratio_to_blue": 0.5}, "green may be as blue is"),
        ({"without_enough_requests": "hope"}, "one of wait, pass, fail"),
    ],
)
def test_rules_that_mean_nothing_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StrategyError, match=sentence):
        VerdictRules(**arguments)


@pytest.mark.parametrize(("percent", "timeout"), [(101, timedelta(hours=1)), (50, timedelta(0))])
def test_a_gate_that_nobody_could_pass_is_refused(percent: float, timeout: timedelta) -> None:
    with pytest.raises(StrategyError, match="a gate's"):
        Gate(percent, timeout)
