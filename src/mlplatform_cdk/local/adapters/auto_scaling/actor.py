"""What Application Auto Scaling does while an alarm of a policy rings: it sets the variant's instances."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters.auto_scaling.tracking import COOLDOWN_S, Bounds, Way, wanted
from mlplatform_cdk.local.adapters.cloudwatch.evaluation import queries_of
from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, floor, real_period
from mlplatform_cdk.local.adapters.endpoints.endpoint import LiveEndpoint
from mlplatform_cdk.local.adapters.sagemaker_api import Scope

if TYPE_CHECKING:
    from moto.applicationautoscaling.models import FakeApplicationAutoscalingPolicy, FakeScalableTarget
    from moto.cloudwatch.models import Alarm

TICK_SECONDS = 0.5
_MINUTE = 60
_SUSPENDED = {"out": "DynamicScalingOutSuspended", "in": "DynamicScalingInSuspended"}
_COOLDOWNS = {"out": "ScaleOutCooldown", "in": "ScaleInCooldown"}
_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Watched:
    """A policy, its alarms, and when it last did something, by the clock that never goes back."""

    policy: FakeApplicationAutoscalingPolicy
    high: Alarm
    low: Alarm
    acted: dict[Way, float] = field(default_factory=dict)

    @property
    def is_gone(self) -> bool:
        """Whether the policy was deleted, which takes its alarms along."""
        alarms = cloudwatch_backends[self.policy.account_id][self.policy.region_name].alarms
        return alarms.get(self.high.name) is not self.high

    def rings(self) -> Way | None:
        """Which way an alarm would have it."""
        if self.high.state_value == "ALARM":
            return "out"
        return "in" if self.low.state_value == "ALARM" else None


class Actor:
    """Looks at the alarms of all policies, for as long as there are policies."""

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._watched: dict[str, _Watched] = {}

    def watch(self, policy: FakeApplicationAutoscalingPolicy, high: Alarm, low: Alarm) -> None:
        """Act for a policy, until it goes.

        :param policy: of a variant of an endpoint.
        :param high: rings where there is too much for the instances.
        :param low: rings where there is too little.
        """
        with self._start:
            self._watched[policy.policy_arn] = _Watched(policy, high, low)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_on, name="auto-scaling", daemon=True)
                self._thread.start()

    def look(self) -> None:
        """Act for every policy whose alarm rings."""
        for arn, one in list(self._watched.items()):
            try:
                if one.is_gone:
                    del self._watched[arn]
                elif way := one.rings():
                    self._act(one, way)
            except Exception:
                _LOGGER.exception("the scaling policy %s", arn)

    def _look_on(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            self.look()

    def _act(self, one: _Watched, way: Way) -> None:
        """Set the instances that the policy wants, where nothing holds it back."""
        policy, target = one.policy, _target_of(one.policy)
        tracking: dict[str, Any] = policy.target_tracking_scaling_policy_configuration or {}
        if target is None or _is_held(target, tracking, way) or not _has_cooled(one, tracking, way):
            return
        _, name, _, variant = policy.resource_id.split("/")
        endpoint = Scope(policy.account_id, policy.region_name).backend.endpoints.get(name)
        measured = _last_minute(one.high)
        if not isinstance(endpoint, LiveEndpoint) or variant not in endpoint.fleet or measured is None:
            return
        now = endpoint.fleet[variant].count
        bounds = Bounds(minimum=int(target.min_capacity or 0), maximum=int(target.max_capacity or 0))
        count = wanted(now, measured, float(tracking["TargetValue"]), way, bounds)
        if count == now:
            return
        try:
            endpoint.shift([{"VariantName": variant, "DesiredInstanceCount": count}])
        except ServiceException as busy:  # somebody else is changing the endpoint; the next look tries again
            _LOGGER.info("%s stays at %s instances: %s", policy.resource_id, now, busy)
            return
        one.acted[way] = time.monotonic()


ACTOR = Actor()


def _target_of(policy: FakeApplicationAutoscalingPolicy) -> FakeScalableTarget | None:
    backend = applicationautoscaling_backends[policy.account_id][policy.region_name]
    return backend.targets.get(policy.scalable_dimension, {}).get(policy.resource_id)


def _is_held(target: FakeScalableTarget, tracking: dict[str, Any], way: Way) -> bool:
    suspended: Any = target.suspended_state or {}
    return bool(suspended.get(_SUSPENDED[way])) or (way == "in" and bool(tracking.get("DisableScaleIn")))


def _has_cooled(one: _Watched, tracking: dict[str, Any], way: Way) -> bool:
    """Whether the same way was gone long enough ago, by the rehearsal's clock."""
    rests = float(tracking.get(_COOLDOWNS[way], COOLDOWN_S)) * settings.current().clock_factor
    return time.monotonic() - one.acted.get(way, float("-inf")) >= rests


def _last_minute(alarm: Alarm) -> float | None:
    """What the alarm's metric said in its last whole minute."""
    period = real_period(_MINUTE)
    end = floor(time.time(), period)
    metric = queries_of(alarm)[0].metric
    assert metric is not None
    found = STORE.summaries(metric, end - period, end, period)
    return found[end - period].of("Sum") if end - period in found else None
