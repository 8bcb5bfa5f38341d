"""What does SageMaker's own update do, and is each of its limits told before anything is deployed?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import Duration, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from botocore.loaders import Loader

from mlplatform_cdk.runtimekit.release_rules import Gate, StrategyError
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from mlplatform_cdk.serving import DeploymentGuardrails
from mlplatform_cdk.serving.guardrails import guardrails, rendering
from mlplatform_cdk.serving.guardrails.size import Size
from tests.serving.constructs.conftest import Ground

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FLEET = {"a": ("ml.m5.large", 10)}
SHAPES: dict[str, Any] = Loader().load_service_model("sagemaker", "service-2")["shapes"]


def test_all_at_once_bakes_and_keeps_the_capacity_that_scaling_had_reached() -> None:
    chosen = DeploymentGuardrails.all_at_once(bake=5 * MINUTE)

    assert chosen.deployment() == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": 300,
            "MaximumExecutionTimeoutInSeconds": 3900,
        }
    }
    assert chosen.retained() == {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ],
    }


def test_a_canary_is_two_steps() -> None:
    chosen = DeploymentGuardrails.canary(5, observe=5 * MINUTE, bake=10 * MINUTE)

    routing = chosen.deployment()["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 300,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 5},
    }
    assert chosen.waits == 15 * MINUTE


def test_a_linear_update_has_equal_steps_and_waits_between_them() -> None:
    chosen = DeploymentGuardrails.linear(20, observe=MINUTE, bake=MINUTE)

    assert (chosen.steps, chosen.waits) == (5, 5 * MINUTE)
    assert chosen.longest == HOUR + 5 * MINUTE


def test_a_rolling_update_watches_each_batch_and_has_a_way_back_of_its_own_size() -> None:
    chosen = DeploymentGuardrails.rolling(instances=2, back_by=50, observe=MINUTE)

    assert chosen.deployment()["RollingUpdatePolicy"] == {
        "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
        "WaitIntervalInSeconds": 60,
        "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "MaximumExecutionTimeoutInSeconds": 3600 + 20 * 60,
    }


def test_alarms_are_named(ground: Ground) -> None:
    alarm = cloudwatch.Alarm.from_alarm_arn(
        ground.stack, "Slow", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow"
    )

    chosen = DeploymentGuardrails.all_at_once().with_alarms([alarm])

    assert chosen.deployment()["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "slow"}]}


def test_nothing_kept_is_one_flag() -> None:
    chosen = DeploymentGuardrails.all_at_once(keep_capacity=False)

    assert chosen.retained() == {"RetainAllVariantProperties": False}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DeploymentGuardrails.canary(60), r"a canary must be from 1 to 50 percent, got 60"),
        (lambda: DeploymentGuardrails.canary(0), r"a canary must be from 1 to 50 percent, got 0"),
        (lambda: DeploymentGuardrails.canary(2.5), r"a canary must be a whole percentage, .* got 2.5"),
        (DeploymentGuardrails.canary, r"a canary must be given in percent or in instances"),
        (lambda: DeploymentGuardrails.canary(5, instances=1), r"a canary must be given in percent or in instances"),
        (lambda: DeploymentGuardrails.canary(instances=0), r"a canary must be 1 instance or more, got 0"),
        (lambda: DeploymentGuardrails.linear(5), r"a step must be from 10 to 50 percent, got 5"),
        (lambda: DeploymentGuardrails.linear(51), r"a step must be from 10 to 50 percent, got 51"),
        (lambda: DeploymentGuardrails.rolling(4), r"a batch must be from 5 to 50 percent, got 4"),
        (lambda: DeploymentGuardrails.rolling(10, back_by=0), r"back_by must be from 1 to 100 percent, got 0"),
        (lambda: DeploymentGuardrails.rolling(50, bake=MINUTE), r"a rolling update has no bake"),
        (
            lambda: DeploymentGuardrails.canary(5, observe=HOUR + MINUTE),
            r"observe must be from 0 to 60 minutes, got 1:01",
        ),
        (lambda: DeploymentGuardrails.all_at_once(bake=2 * HOUR), r"bake must be from 0 to 60 minutes, got 2:00"),
        (lambda: DeploymentGuardrails.all_at_once(bake=-MINUTE), r"bake must be from 0 to 60 minutes"),
        (lambda: DeploymentGuardrails.all_at_once(timeout=9 * MINUTE), r"timeout must be from 10 minutes to 8 hours"),
        (lambda: DeploymentGuardrails.all_at_once(timeout=9 * HOUR), r"timeout must be from 10 minutes to 8 hours"),
        (lambda: DeploymentGuardrails.linear(10, observe=HOUR), r"timeout must be from 10 minutes to 8 hours, got 10:"),
        (
            lambda: DeploymentGuardrails.linear(10, observe=10 * MINUTE, timeout=HOUR),
            r"timeout must be longer than all waits together, 1:40:00, got 1:00:00",
        ),
        (lambda: DeploymentGuardrails.all_at_once(alarms=(None,) * 11), r"there may be 10 alarms, got 11"),
    ],
)
def test_a_limit_of_sagemaker_is_told_at_once(make: Any, sentence: str) -> None:
    with pytest.raises(StrategyError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("chosen", "fleets", "sentence"),
    [
        (
            DeploymentGuardrails.canary(5),
            {"a": ("ml.m5.large", 1)},
            r"a canary of variant a must be a part of its instances, which has 1 at rest",
        ),
        (
            DeploymentGuardrails.canary(instances=6),
            FLEET,
            r"a canary of variant a must be from 1 to 50 percent of its instances, which has 10 at rest, got 6",
        ),
        (DeploymentGuardrails.linear(instances=1), {"a": ("ml.m5.large", 11)}, r"from 10 to 50 percent of its"),
        (DeploymentGuardrails.rolling(20), FLEET | {"b": ("ml.m5.large", 10)}, r"takes one variant, got a, b"),
        (DeploymentGuardrails.all_at_once(), {"a": ("ml.inf1.xlarge", 2)}, r"no guardrails on ml.inf1.xlarge"),
    ],
)
def test_a_fleet_that_sagemaker_cannot_update_so_is_told(
    chosen: DeploymentGuardrails, fleets: dict[str, tuple[str, int]], sentence: str
) -> None:
    with pytest.raises(StrategyError, match=sentence):
        chosen.check_fleets(fleets)


def test_a_step_that_is_too_small_for_a_fleet_that_has_scaled_is_told() -> None:
    with pytest.raises(StrategyError, match=r"at least 10 percent of its instances, of which scaling may keep 11"):
        DeploymentGuardrails.linear(instances=1).check_scaled({"a": 11})
    with pytest.raises(StrategyError, match=r"a batch of variant a must be at least 5 percent"):
        DeploymentGuardrails.rolling(instances=1).check_scaled({"a": 21})

    DeploymentGuardrails.linear(instances=1).check_scaled({"a": 10})
    DeploymentGuardrails.linear(10).check_scaled({"a": 100})
    DeploymentGuardrails.canary(instances=1).check_scaled({"a": 100})
    DeploymentGuardrails.linear(instances=1, keep_capacity=False).check_scaled({"a": 11})


def test_a_fleet_that_it_can_is_taken() -> None:
    DeploymentGuardrails.canary(instances=5).check_fleets(FLEET)
    DeploymentGuardrails.linear(10).check_fleets({"a": ("ml.m5.large", 2), "b": ("ml.m5.large", 2)})
    DeploymentGuardrails.all_at_once().check_fleets({"a": ("ml.m5.large", 1)})


NO_RETENTION: dict[str, Any] = {"retention": timedelta(0), "bake": 10 * MINUTE}


@pytest.mark.parametrize(
    ("strategy", "kind", "size"),
    [
        (Strategy.all_at_once(**NO_RETENTION), "ALL_AT_ONCE", None),
        (Strategy.canary(5, **NO_RETENTION), "CANARY", 5),
        (Strategy.linear(first=20, by=20, **NO_RETENTION), "LINEAR", 20),
        (Strategy.linear(first=30, by=30, **NO_RETENTION), "LINEAR", 30),
    ],
)
def test_a_strategy_that_sagemaker_can_follow_becomes_guardrails(
    strategy: Strategy, kind: str, size: int | None
) -> None:
    chosen = DeploymentGuardrails.of(strategy)

    assert (chosen.kind, chosen.step and chosen.step.value) == (kind, size)
    assert chosen.bake == 10 * MINUTE


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (Strategy.linear(**NO_RETENTION), r"the steps of an update must all be of one size, got \(5.0, 20.0"),
        (Strategy.all_at_once(bake=HOUR), r"retention must be 0, got 7 days.*ReleasedEndpoint"),
        (Strategy.all_at_once(retention=timedelta(0)), r"bake must be from 0 to 60 minutes, got 1 day"),
        (Strategy.canary(5, gates=(Gate(5),), **NO_RETENTION), r"asks nobody in an update, got 1 gates"),
        (Strategy.shadow(**NO_RETENTION), r"a shadow is no update of SageMaker's"),
        (Strategy.canary(5, replay_requests=50, **NO_RETENTION), r"SageMaker replays no request, got 50"),
        (
            Strategy.canary(5, observe=2 * HOUR, look_every=MINUTE, **NO_RETENTION),
            r"observe must be from 0 to 60 minutes",
        ),
    ],
)
def test_what_only_a_release_can_do_is_told(strategy: Strategy, sentence: str) -> None:
    with pytest.raises(StrategyError, match=sentence):
        DeploymentGuardrails.of(strategy)


def test_the_limits_are_those_of_sagemakers_own_model() -> None:
    timeout = SHAPES["MaximumExecutionTimeoutInSeconds"]

    assert SHAPES["WaitIntervalInSeconds"]["max"] == guardrails.LONGEST_WAIT.total_seconds()
    assert SHAPES["TerminationWaitInSeconds"]["max"] == guardrails.LONGEST_WAIT.total_seconds()
    assert (timeout["min"], timeout["max"]) == (
        guardrails.SHORTEST_TIMEOUT.total_seconds(),
        guardrails.LONGEST_TIMEOUT.total_seconds(),
    )
    assert SHAPES["AlarmList"]["max"] == guardrails.MOST_ALARMS
    assert SHAPES["ProductionVariantList"]["max"] == guardrails.MOST_VARIANTS
    assert set(SHAPES["VariantPropertyType"]["enum"]) == set(rendering._KEPT.values())


def test_times_may_be_cdks_durations_as_those_of_the_constructs_are() -> None:
    theirs = DeploymentGuardrails.linear(
        10, observe=Duration.minutes(5), bake=Duration.minutes(20), timeout=Duration.hours(3)
    )

    ours = DeploymentGuardrails.linear(
        10, observe=timedelta(minutes=5), bake=timedelta(minutes=20), timeout=timedelta(hours=3)
    )
    assert theirs == ours
    assert DeploymentGuardrails(kind="ALL_AT_ONCE", bake=Duration.minutes(5)).bake == timedelta(minutes=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(
            lambda: DeploymentGuardrails.linear(10, observe=300),  # type: ignore[arg-type]
            r"observe must be a Duration or a timedelta, got 300; try Duration.minutes\(5\)",
            id="a number",
        ),
        pytest.param(
            lambda: DeploymentGuardrails.all_at_once(bake=Duration.seconds(Token.as_number({"Ref": "Bake"}))),
            "bake must be known while the app is built, got a token",
            id="a token",
        ),
        pytest.param(
            lambda: DeploymentGuardrails(kind="canary"),  # type: ignore[arg-type]
            "kind must be one of ALL_AT_ONCE, CANARY, LINEAR, ROLLING, got 'canary'",
            id="no kind",
        ),
        pytest.param(lambda: DeploymentGuardrails(kind="CANARY"), "CANARY must have a step, got None", id="no step"),
        pytest.param(
            lambda: DeploymentGuardrails(kind="ALL_AT_ONCE", step=Size(10, in_percent=True)),
            "ALL_AT_ONCE must have no step, got Size",
            id="a step too many",
        ),
        pytest.param(
            lambda: DeploymentGuardrails.canary(10, back=Size(10, in_percent=True)),
            "only a rolling update goes back in batches, got back for CANARY",
            id="batches on another way back",
        ),
    ],
)
def test_what_is_no_update_at_all_is_told_in_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(StrategyError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("guardrails", "minutes"),
    [
        pytest.param(DeploymentGuardrails.canary(10), 61, id="one fleet comes up"),
        pytest.param(DeploymentGuardrails.rolling(25), 16, id="four batches come up"),
    ],
)
def test_an_update_that_ends_before_slow_fleets_are_up_is_refused(
    guardrails: DeploymentGuardrails, minutes: int
) -> None:
    slow = timedelta(minutes=minutes)

    with pytest.raises(StrategyError, match="timeout must be longer than all waits and starts together"):
        guardrails.check_start(slow)

    replace(guardrails, timeout=timedelta(hours=4)).check_start(slow)
    guardrails.check_start(timedelta(0))
