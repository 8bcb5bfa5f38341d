"""Policies with their two alarms, which come and go with them, and with the target that they are of."""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
)
from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.moto_api._internal import mock_random

from mlplatform_cdk.local.adapters.auto_scaling.actor import ACTOR
from mlplatform_cdk.local.adapters.auto_scaling.tracking import IN_MINUTES, LOWER, OUT_MINUTES

METRIC = "SageMakerVariantInvocationsPerInstance"

_put = ApplicationAutoscalingBackend.put_scaling_policy
_deregister = ApplicationAutoscalingBackend.deregister_scalable_target
_create_alarms = FakeApplicationAutoscalingPolicy.create_alarms


def install() -> None:
    """Take over what moto does of policies; other metrics and other services' targets are kept, and nothing more."""
    ApplicationAutoscalingBackend.put_scaling_policy = _put_once
    ApplicationAutoscalingBackend.deregister_scalable_target = _deregister_with_policies
    FakeApplicationAutoscalingPolicy.create_alarms = _create_and_act


def _put_once(self: ApplicationAutoscalingBackend, *arguments: Any, **named: Any) -> FakeApplicationAutoscalingPolicy:
    """The same policy again changes nothing; another one under its name takes its alarms along."""
    names = ("policy_name", "service_namespace", "resource_id", "scalable_dimension", "policy_body", "policy_type")
    given = dict(zip(names, arguments, strict=False)) | named
    key = FakeApplicationAutoscalingPolicy.formulate_key(*(given[name] for name in (*names[1:4], names[0])))
    before = self.policies.get(key)
    if before is not None:
        if (before._policy_body, before.policy_type) == (given["policy_body"], given["policy_type"]):
            return before
        before.delete_alarms(before.account_id, before.region_name)
    return _put(self, *arguments, **named)


def _deregister_with_policies(self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str) -> None:
    """Deregistering deletes the target's policies, and these their alarms.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    """
    _deregister(self, namespace, r_id, dimension)
    for key, policy in list(self.policies.items()):
        if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (namespace, r_id, dimension):
            policy.delete_alarms(policy.account_id, policy.region_name)
            del self.policies[key]


def _create_and_act(self: FakeApplicationAutoscalingPolicy) -> None:
    _create_alarms(self)
    tracking = self.target_tracking_scaling_policy_configuration or {}
    predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if self.service_namespace != "sagemaker" or predefined != METRIC:
        return
    target = float(tracking["TargetValue"])
    high = _alarm(self, "AlarmHigh", "GreaterThanThreshold", target, OUT_MINUTES)
    low = _alarm(self, "AlarmLow", "LessThanThreshold", LOWER * target, IN_MINUTES)
    self.alarms.extend([high, low])
    ACTOR.watch(self, high, low)


def _alarm(
    policy: FakeApplicationAutoscalingPolicy, name: str, comparison: str, threshold: float, minutes: int
) -> Alarm:
    _, endpoint, _, variant = policy.resource_id.split("/")
    alarm: Alarm = cloudwatch_backends[policy.account_id][policy.region_name].put_metric_alarm(
        name=f"TargetTracking-{policy.resource_id}-{name}-{mock_random.uuid4()}",
        namespace="AWS/SageMaker",
        metric_name="InvocationsPerInstance",
        metric_data_queries=[],
        comparison_operator=comparison,
        evaluation_periods=minutes,
        period=60,
        threshold=threshold,
        statistic="Sum",
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.policy_arn}",
        dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        alarm_actions=[policy.policy_arn],
    )
    return alarm
