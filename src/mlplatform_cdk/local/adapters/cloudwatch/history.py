"""DescribeAlarmHistory: what became of an alarm, kept also when the alarm is gone.

Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html and, for the
texts, https://docs.aws.amazon.com/cli/latest/reference/cloudwatch/describe-alarm-history.html
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from mlplatform_cdk.local.adapters.cloudwatch.store import moment_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.cloudwatch.models import Alarm

    from mlplatform_cdk.local.adapters.cloudwatch.actions import State

STATE, CONFIGURATION, ACTION = "StateUpdate", "ConfigurationUpdate", "Action"
_METRIC, _COMPOSITE = "MetricAlarm", "CompositeAlarm"
_MOST, _PAGE = 100_000, 100  # items that are kept, of all alarms; and on a page
_DATA = 4095  # characters


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened to an alarm."""

    alarm: str
    kind: str
    at: datetime
    type: str
    summary: str
    data: str


_KEPT: dict[tuple[str, str], deque[Item]] = {}  # by account and region


class InvalidNextToken(ServiceException):
    """The token is none of ours."""

    code = "InvalidNextToken"


def install() -> None:
    """Answer the question."""
    CloudWatchResponse.describe_alarm_history = _describe


def changed_state(alarm: Alarm, before: State, now: State) -> None:
    """Keep a change of state."""
    told = {"version": "1.0", "oldState": _told(before), "newState": _told(now)}
    _keep(alarm, STATE, f"Alarm updated from {before.value} to {now.value}", told, now.since)


def configured(alarm: Alarm, what: str) -> None:
    """Keep a creation, an update or a deletion.

    :param what: ``created``, ``updated`` or ``deleted``.
    """
    type_ = {"created": "Create", "updated": "Update", "deleted": "Delete"}[what]
    told = {"version": "1.0", "type": type_, "alarmName": alarm.name, "alarmArn": alarm.alarm_arn}
    _keep(alarm, CONFIGURATION, f'Alarm "{alarm.name}" {what}', told)


def acted(alarm: Alarm, target: str, problem: str = "") -> None:
    """Keep that the alarm has handed a message over, or could not."""
    at = round(seconds_of(alarm.state_updated_timestamp) * 1000)
    told = {"actionState": "Failed" if problem else "Succeeded", "stateUpdateTimestamp": at}
    told |= {"notificationResource": target} | ({"error": problem} if problem else {})
    _keep(alarm, ACTION, f"{'Failed to execute' if problem else 'Successfully executed'} action {target}", told)


def _keep(alarm: Alarm, type_: str, summary: str, told: dict[str, Any], at: datetime | None = None) -> None:
    kind = _METRIC if alarm.rule is None else _COMPOSITE
    moment = at or moment_of(datetime.now(tz=UTC).timestamp())
    item = Item(alarm.name, kind, moment, type_, summary[:255], json.dumps(told)[:_DATA])
    account = alarm.alarm_arn.split(":")[4]
    _KEPT.setdefault((account, alarm.region_name), deque(maxlen=_MOST)).append(item)


def _told(state: State) -> dict[str, Any]:
    told: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    data = json.loads(state.data) if state.data else None
    return told | ({"stateReasonData": data} if data else {})


def _describe(self: CloudWatchResponse) -> ActionResult:
    """The newest first, unless asked otherwise; composite alarms only where they are asked for."""
    found = sorted(_matching(self), key=lambda one: one.at)
    if (self._get_param("ScanBy") or "TimestampDescending") == "TimestampDescending":
        found.reverse()
    token, size = self._get_param("NextToken"), self._get_int_param("MaxRecords") or _PAGE
    if not 1 <= size <= _PAGE:
        raise ValidationError(f"MaxRecords must be 1 to {_PAGE}, got {size}")
    if token and not token.isdigit():
        raise InvalidNextToken(f"the token must be one that was given here, got {token}")
    first = int(token or 0)
    told: dict[str, Any] = {"AlarmHistoryItems": [_item(one) for one in found[first : first + size]]}
    return ActionResult(told | ({"NextToken": str(first + size)} if first + size < len(found) else {}))


def _matching(self: CloudWatchResponse) -> Iterator[Item]:
    name, type_ = self._get_param("AlarmName"), self._get_param("HistoryItemType")
    kinds = self._get_param("AlarmTypes") or [_METRIC]
    start, end = (self._get_param(one) for one in ("StartDate", "EndDate"))
    for one in [*_KEPT.get((self.current_account, self.region), ())]:
        at = seconds_of(one.at)
        is_within = (start is None or seconds_of(start) <= at) and (end is None or at <= seconds_of(end))
        if is_within and name in (None, one.alarm) and type_ in (None, one.type) and one.kind in kinds:
            yield one


def _item(one: Item) -> dict[str, Any]:
    return {
        "AlarmName": one.alarm,
        "AlarmType": one.kind,
        "Timestamp": one.at,
        "HistoryItemType": one.type,
        "HistorySummary": one.summary,
        "HistoryData": one.data,
    }
