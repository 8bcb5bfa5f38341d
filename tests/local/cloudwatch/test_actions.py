"""Whom does an alarm tell, and what?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.cloudwatch.models import Alarm, CloudWatchBackend

from mlplatform_cdk.local.adapters import events
from mlplatform_cdk.local.adapters.cloudwatch import actions

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:wake"
TOPIC = "arn:aws:sns:us-east-1:123456789012:people"
SCALING = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:x"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What was sent: events by their type, messages by their target."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(events, "emit", lambda _, kind, __, detail, **___: sent.append((kind, detail)))
    monkeypatch.setattr(actions._MESSENGER, "put", lambda target, body, _: sent.append((target, json.loads(body))))
    return sent


def rung(state: str, *, actions_enabled: bool = True) -> Alarm:
    """An alarm that has just changed to ``state``."""
    alarm = CloudWatchBackend("us-east-1", "123456789012").put_metric_alarm(
        name="orders",
        namespace="Shop",
        metric_name="Orders",
        comparison_operator="LessThanThreshold",
        evaluation_periods=1,
        period=60,
        threshold=1,
        statistic="Sum",
        description="nobody buys",
        dimensions=[],
        alarm_actions=[TOPIC, FUNCTION, SCALING],
        ok_actions=[TOPIC],
        actions_enabled=actions_enabled,
    )
    before = actions.State.of(alarm)
    alarm.state_value, alarm.state_reason = state, "a reason"
    actions.tell(alarm, before)
    return alarm


def test_an_alarm_tells_its_topic_and_calls_its_function_and_does_nothing_else(told: list[tuple[str, Any]]) -> None:
    alarm = rung("ALARM")

    by_target = dict(told)
    assert set(by_target) == {"CloudWatch Alarm State Change", TOPIC, FUNCTION}
    assert by_target[TOPIC]["NewStateReason"] == "a reason"
    assert by_target[FUNCTION]["alarmArn"] == alarm.alarm_arn
    assert by_target[FUNCTION]["alarmData"]["configuration"]["description"] == "nobody buys"


def test_each_state_has_actions_of_its_own(told: list[tuple[str, Any]]) -> None:
    rung("OK")
    rung("INSUFFICIENT_DATA")

    assert [target for target, _ in told] == ["CloudWatch Alarm State Change", TOPIC, "CloudWatch Alarm State Change"]


def test_actions_that_are_switched_off_leave_the_event(told: list[tuple[str, Any]]) -> None:
    rung("ALARM", actions_enabled=False)

    assert [kind for kind, _ in told] == ["CloudWatch Alarm State Change"]
