"""Which releases are there by name, and what does a strategy make of the machine?"""

from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.release import AllAtOnceRelease, BlueGreenRelease, CanaryRelease, Gate, ShadowRelease, Strategy
from tests.contracts.asl import problems
from tests.contracts.rendering import granted_actions
from tests.release.conftest import Build, Built

NOTHING = timedelta(0)
AT_ONCE = Strategy.all_at_once(observe=NOTHING, bake=NOTHING, retention=NOTHING)


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        (BlueGreenRelease, Strategy.linear()),
        (CanaryRelease, Strategy.canary(5)),
        (AllAtOnceRelease, Strategy.all_at_once()),
        (ShadowRelease, Strategy.shadow(100)),
    ],
)
def test_a_kind_of_release_has_its_strategy(kind: type[BlueGreenRelease], strategy: Strategy) -> None:
    assert kind.default_strategy == strategy


@pytest.mark.parametrize(
    ("kind", "strategy", "sentence"),
    [
        (CanaryRelease, Strategy.linear(), "a canary must have one step before all"),
        (AllAtOnceRelease, Strategy.canary(5), "all at once must be one step"),
        (ShadowRelease, Strategy.canary(5), "a shadow must get requests for a window"),
        (ShadowRelease, Strategy.shadow(100, observe=NOTHING), "a shadow must get requests for a window"),
    ],
)
def test_a_strategy_of_another_kind_is_refused(
    build: Build, kind: type[BlueGreenRelease], strategy: Strategy, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        build(kind=kind, strategy=strategy)


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(AT_ONCE, id="at once"),
        pytest.param(Strategy.linear(gates=(Gate(50),)), id="with a gate"),
        pytest.param(Strategy.shadow(50), id="with a shadow"),
    ],
)
def test_every_strategy_makes_a_machine_that_aws_would_take(build: Build, strategy: Strategy) -> None:
    assert problems(build(strategy=strategy).definition) == []


def test_what_is_not_watched_has_no_alarms_and_what_is_not_kept_starts_nothing(build: Build) -> None:
    built = build(strategy=AT_ONCE)

    alarms = built.template.find_resources("AWS::CloudWatch::Alarm").values()
    assert [one["Properties"]["AlarmName"] for one in alarms] == ["dev-churn--given-up"]  # which watches the releases
    assert "StartRetirement" not in built.definition["States"]
    assert "states:StartExecution" not in granted_actions(built.template.to_json(), built.machine)


def test_a_gate_waits_for_a_token_as_long_as_the_strategy_says(build: Build) -> None:
    ask = build(strategy=Strategy.linear(gates=(Gate(50),))).state("AskPerson")

    assert ask["Resource"].endswith("lambda:invoke.waitForTaskToken")
    assert ask["TimeoutSecondsPath"] == "$.progress.timeout_s"
    assert ask["Catch"][0]["Next"] == "FindWayBack"


def test_a_retirement_waits_before_it_takes_the_turn(build: Build) -> None:
    built = build()

    start: dict[str, Any] = built.state("StartRetirement")["Parameters"]["Input"]
    assert (start["action"], start["after_s"]) == ("retire", 7 * 24 * 3600)
    assert built.state("WaitForRetention") == {"Type": "Wait", "SecondsPath": "$.request.after_s", "Next": "Enter"}


def test_gates_without_a_place_in_the_strategy_are_refused(build: Build) -> None:
    gated = build(strategy=Strategy.linear(gates=(Gate(50),)))

    with pytest.raises(ConfigurationError, match="gates must have a place in the strategy"):
        Built(gates=gated.release.gates)
