"""Do an endpoint's instances follow its load, by the policies that are deployed?"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.sagemaker.models import sagemaker_backends

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters import cloudwatch
from mlplatform_cdk.local.adapters.auto_scaling import policies
from mlplatform_cdk.local.adapters.auto_scaling.actor import ACTOR
from mlplatform_cdk.local.adapters.auto_scaling.tracking import Bounds, wanted
from mlplatform_cdk.local.adapters.cloudwatch.evaluation import judge, period_end
from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, Metric
from mlplatform_cdk.local.adapters.endpoints.endpoint import LiveEndpoint

REGION, TARGET = "eu-west-1", 600.0
PLACE = {"namespace": "sagemaker", "r_id": "endpoint/churn/variant/blue"}
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
BOUNDS = Bounds(minimum=1, maximum=4)


class Endpoint(LiveEndpoint):
    """One that has instances, and no process."""

    def __init__(self, count: int) -> None:
        self.fleet = {"blue": SimpleNamespace(count=count)}  # type: ignore[dict-item]

    def shift(self, desired: list[dict[str, Any]]) -> None:
        (one,) = desired
        self.fleet[one["VariantName"]].count = one["DesiredInstanceCount"]


class World:
    """A variant with a policy, in an account of its own."""

    def __init__(self) -> None:
        self.account = str(uuid.uuid4().int)[:12]
        self.scaling: ApplicationAutoscalingBackend = applicationautoscaling_backends[self.account][REGION]
        self.alarms = cloudwatch_backends[self.account][REGION].alarms
        self.endpoint = Endpoint(1)
        sagemaker_backends[self.account][REGION].endpoints["churn"] = self.endpoint
        self.register()
        self.put()

    def register(self, **suspended: bool) -> None:
        self.scaling.register_scalable_target(
            **PLACE,
            dimension=DIMENSION,
            min_capacity=1,
            max_capacity=4,
            role_arn="",
            suspended_state=suspended,  # type: ignore[arg-type]
        )

    def put(self, target: float = TARGET) -> Any:
        metric = {"PredefinedMetricType": policies.METRIC}
        body = {"TargetValue": target, "PredefinedMetricSpecification": metric, "ScaleOutCooldown": 60}
        return self.scaling.put_scaling_policy(
            "by-load", "sagemaker", PLACE["r_id"], DIMENSION, policy_body=body, policy_type="TargetTrackingScaling"
        )

    def load(self, per_minute: float, minutes: int) -> None:
        """What each instance was asked in the last minutes; then the alarms are what they would be."""
        dimensions = (("EndpointName", "churn"), ("VariantName", "blue"))
        metric = Metric(self.account, REGION, "AWS/SageMaker", "InvocationsPerInstance", dimensions)
        now = time.time()
        for back in range(minutes + 1):
            STORE.add(metric, per_minute, at=now - 60 * back)
        for alarm in self.alarms.values():
            alarm.update_state("", "", judge(alarm, period_end(alarm, now)).state or "OK")

    @property
    def count(self) -> int:
        return self.endpoint.fleet["blue"].count


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[World]:
    monkeypatch.setattr(settings, "_current", settings.Settings(state_dir=tmp_path))
    for adapter in (cloudwatch, policies):
        adapter.install()
    made = World()
    yield made
    if made.scaling.targets[DIMENSION]:
        made.scaling.deregister_scalable_target(**PLACE, dimension=DIMENSION)
    ACTOR.look()


def test_too_much_for_three_minutes_brings_the_instances_that_hold_it(world: World) -> None:
    world.load(1150.0, minutes=3)
    ACTOR.look()
    assert world.count == 2


def test_two_minutes_of_it_bring_none(world: World) -> None:
    world.load(1150.0, minutes=2)
    ACTOR.look()
    assert world.count == 1


def test_a_quarter_of_an_hour_with_too_little_takes_them_away_again(world: World) -> None:
    world.endpoint.fleet["blue"].count = 4
    world.load(200.0, minutes=15)
    ACTOR.look()
    assert world.count == 2


def test_nothing_scales_while_a_release_holds_it_still(world: World) -> None:
    world.register(DynamicScalingOutSuspended=True)
    world.load(1150.0, minutes=3)
    ACTOR.look()
    assert world.count == 1


def test_it_rests_before_it_grows_again(world: World) -> None:
    world.load(1150.0, minutes=3)
    ACTOR.look()
    world.load(5000.0, minutes=3)
    ACTOR.look()
    assert world.count == 2


def test_the_same_policy_again_keeps_its_alarms_and_another_brings_its_own(world: World) -> None:
    before = set(world.alarms)
    world.put()
    assert set(world.alarms) == before
    world.put(target=300.0)
    assert len(world.alarms) == 2
    assert not before & set(world.alarms)


def test_what_is_scaled_no_more_leaves_neither_policy_nor_alarm(world: World) -> None:
    world.scaling.deregister_scalable_target(**PLACE, dimension=DIMENSION)
    assert (world.scaling.policies, world.alarms) == ({}, {})


@pytest.mark.parametrize(
    ("now", "per_instance", "way", "then"),
    [(1, 601.0, "out", 2), (2, 1500.0, "out", 4), (2, 100.0, "out", 2), (3, 100.0, "in", 1), (2, 700.0, "in", 2)],
)
def test_instances_are_as_many_as_bring_the_metric_to_its_target(
    now: int, per_instance: float, way: Any, then: int
) -> None:
    assert wanted(now, per_instance, TARGET, way, BOUNDS) == then
