"""What follows a change of an alarm's state: an event on the default bus, messages to topics, calls of functions.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import ServiceException

from mlplatform_cdk.local.adapters import events
from mlplatform_cdk.local.adapters.cloudwatch import history
from mlplatform_cdk.local.adapters.cloudwatch.evaluation import queries_of
from mlplatform_cdk.local.adapters.sagemaker_api import Scope
from mlplatform_cdk.local.adapters.targets import send

if TYPE_CHECKING:
    from datetime import datetime

    from moto.cloudwatch.models import Alarm

    from mlplatform_cdk.local.adapters.cloudwatch.queries import Query

_LOGGER = logging.getLogger(__name__)
# Alarms call functions by a service of their own.
_PRINCIPALS = {"sns": "cloudwatch.amazonaws.com", "lambda": "lambda.alarms.cloudwatch.amazonaws.com"}


@dataclass(frozen=True, slots=True)
class State:
    """An alarm's state at a time."""

    value: str
    reason: str
    data: str
    since: datetime

    @staticmethod
    def of(alarm: Alarm) -> State:
        """Its state now."""
        return State(alarm.state_value, alarm.state_reason, alarm.state_reason_data, alarm.state_updated_timestamp)

    def told(self) -> dict[str, str]:
        """As events tell it."""
        return {
            "value": self.value,
            "reason": self.reason,
            **({"reasonData": self.data} if self.data else {}),
            "timestamp": _moment(self.since),
        }


class _Messenger:
    """Carries messages one after the other, so that no evaluation waits for a function."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[tuple[str, str, Alarm]] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, target_arn: str, body: str, alarm: Alarm) -> None:
        self._messages.put((target_arn, body, alarm))
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._carry, name="alarm-actions", daemon=True)
                self._thread.start()

    def _carry(self) -> None:
        while True:
            target, body, alarm = self._messages.get()
            try:
                send.send_as_service(_PRINCIPALS[target.split(":")[2]], target, body, alarm.alarm_arn)
            except (send.Refused, ClientError, BotoCoreError, ServiceException) as error:
                _LOGGER.warning("the alarm %s could not act on %s: %s", alarm.alarm_arn, target, error)
                history.acted(alarm, target, str(error))
            else:
                history.acted(alarm, target)


_MESSENGER = _Messenger()


def tell(alarm: Alarm, before: State) -> None:
    """Send the event of a change, and the alarm's messages for its new state.

    :param alarm: in its new state.
    :param before: the state that it had.
    """
    now = State.of(alarm)
    account = alarm.alarm_arn.split(":")[4]
    detail = {
        "alarmName": alarm.name,
        "state": now.told(),
        "previousState": before.told(),
        "configuration": _configuration(alarm),
    }
    scope = Scope(account, alarm.region_name)
    events.emit(scope, "CloudWatch Alarm State Change", alarm.alarm_arn, detail, source="aws.cloudwatch")
    if not alarm.actions_enabled:
        return
    chosen = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(now.value, alarm.insufficient_data_actions)
    for target in chosen:
        service = target.split(":")[2]
        if service == "sns":
            _MESSENGER.put(target, json.dumps(_message(alarm, before, now, account)), alarm)
        elif service == "lambda":
            payload = {"source": "aws.cloudwatch", "alarmArn": alarm.alarm_arn, "accountId": account}
            payload |= {"time": _moment(now.since), "region": alarm.region_name, "alarmData": detail}
            _MESSENGER.put(target, json.dumps(payload), alarm)
        elif service != "autoscaling":  # whose actor reads the alarms of its policies itself
            _LOGGER.warning("the alarm %s does not act on %s: no such action is rehearsed", alarm.name, target)


def _configuration(alarm: Alarm) -> dict[str, Any]:
    said = {"description": alarm.description} if alarm.description else {}
    if alarm.rule is not None:
        return said | {"alarmRule": alarm.rule}
    return said | {"metrics": [_query(one) for one in queries_of(alarm)]}


def _query(query: Query) -> dict[str, Any]:
    if query.metric is None:
        return {"id": query.id, "expression": query.expression, "label": query.label, "returnData": query.returned}
    named = {
        "namespace": query.metric.namespace,
        "name": query.metric.name,
        "dimensions": dict(query.metric.dimensions),
    }
    measured = {"metric": named, "period": query.period, "stat": query.statistic}
    return {"id": query.id, "metricStat": measured, "returnData": query.returned}


def _message(alarm: Alarm, before: State, now: State, account: str) -> dict[str, Any]:
    """What subscribers of a topic get."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _moment(alarm.configuration_updated_timestamp),
        "NewStateValue": now.value,
        "NewStateReason": now.reason,
        "StateChangeTime": _moment(now.since),
        "Region": alarm.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.value,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
    }


def _moment(moment: datetime) -> str:
    return moment.replace(tzinfo=moment.tzinfo or UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
