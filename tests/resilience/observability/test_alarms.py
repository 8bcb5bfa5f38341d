"""Is anybody woken once, and by what Route 53 sees?"""

import json
from datetime import timedelta

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.resilience import (
    AllRegionsAlarm,
    RegionAlarm,
)
from mlplatform_cdk.routing import GlobalNames
from mlplatform_cdk.routing.health_probe.alarms import ProbeAlarms
from tests.resilience.building import of_type, stack_in
from tests.resilience.observability.building import CHECKS, PLAN, topic_of


def test_many_alarms_of_a_region_are_one_message_and_one_all_clear() -> None:
    stack = stack_in()
    topic = topic_of(stack)
    probe = ProbeAlarms(stack, "Probe", plan=PLAN, release_takes=timedelta(days=2), notifications=None)
    RegionAlarm(
        stack,
        "Region",
        plan=PLAN,
        alarms=[probe.out_of_service, probe.nothing_right, probe.wrong_everywhere],
        notifications=topic,
    )

    (made,) = of_type(stack, "AWS::CloudWatch::CompositeAlarm")
    assert made["AlarmName"] == "models.example.com-eu-west-1-needs-somebody"
    assert json.dumps(made["AlarmRule"]).count("ALARM(") == 3
    assert " OR " in json.dumps(made["AlarmRule"])
    assert made["AlarmActions"] == made["OKActions"]
    assert "ActionsSuppressor" not in made
    (policy,) = of_type(stack, "AWS::SNS::TopicPolicy")
    (let_in,) = [
        one
        for one in policy["PolicyDocument"]["Statement"]
        if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert made["AlarmName"] in json.dumps(let_in["Condition"])


def test_a_drill_is_quiet() -> None:
    stack = stack_in()
    drill = cloudwatch.Alarm.from_alarm_arn(stack, "Drill", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:drill")
    probe = ProbeAlarms(stack, "Probe", plan=PLAN, release_takes=timedelta(days=2), notifications=None)
    RegionAlarm(
        stack,
        "Region",
        plan=PLAN,
        alarms=[probe.out_of_service],
        notifications=topic_of(stack),
        quiet_while=drill,
    )

    (made,) = of_type(stack, "AWS::CloudWatch::CompositeAlarm")
    assert made["ActionsSuppressor"].endswith(":alarm:drill")
    assert (made["ActionsSuppressorWaitPeriod"], made["ActionsSuppressorExtensionPeriod"]) == (60, 600)


def test_alarms_over_all_regions_listen_to_route_53_in_its_own_region() -> None:
    stack = stack_in("us-east-1")
    names = GlobalNames(stack, "Names", plan=PLAN)
    AllRegionsAlarm(stack, "All", plan=PLAN, health_checks=names.health_checks, notifications=topic_of(stack))

    below = of_type(stack, "AWS::CloudWatch::Alarm")
    above = {one["AlarmName"]: one for one in of_type(stack, "AWS::CloudWatch::CompositeAlarm")}
    assert {(one["Namespace"], one["MetricName"], one["Statistic"]) for one in below} == {
        ("AWS/Route53", "HealthCheckStatus", "Minimum")
    }
    assert {one["TreatMissingData"] for one in below} == {"ignore"}
    assert " OR " in json.dumps(above["models.example.com-region-lost"]["AlarmRule"])
    assert " AND " in json.dumps(above["models.example.com-none-left"]["AlarmRule"])
    assert all(one["AlarmActions"] for one in above.values())


def in_region(region: str) -> Stack:
    return PlatformStack(App(), "Stack", env=Environment(account="123456789012", region=region))


@pytest.mark.parametrize(
    ("region", "checks", "sentence"),
    [
        ("eu-west-1", CHECKS, "its stack must be in us-east-1, where Route 53's metrics are, got eu-west-1"),
        ("us-east-1", {"eu-west-1": "c"}, "health_checks must be of all of the plan's regions"),
        ("us-east-1", {}, "got none"),
    ],
)
def test_an_alarm_over_all_regions_that_would_hear_nothing_is_refused(
    region: str, checks: dict[str, str], sentence: str
) -> None:
    stack = in_region(region)

    with pytest.raises(ConfigurationError, match=sentence):
        AllRegionsAlarm(stack, "All", plan=PLAN, health_checks=checks, notifications=topic_of(stack))


def test_a_regions_alarm_belongs_to_a_region_of_the_plan_and_has_alarms() -> None:
    stack = in_region("ap-south-1")
    topic = topic_of(stack)
    alarm = cloudwatch.Alarm.from_alarm_arn(stack, "Other", "arn:aws:cloudwatch:ap-south-1:123456789012:alarm:other")

    with pytest.raises(ConfigurationError, match=r"one of the plan's regions \(eu-west-1, us-west-2\), got ap-south-1"):
        RegionAlarm(stack, "Region", plan=PLAN, alarms=[alarm], notifications=topic)
    with pytest.raises(ConfigurationError, match="alarms must be 1 to 100, got 0"):
        RegionAlarm(stack, "None", plan=PLAN, alarms=[], notifications=topic)
