"""What has become of an alarm, and when?"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudwatch.conftest import Client
from tests.local.cloudwatch.test_alarms import share_alarm, state, wait_for

BOTH = ["MetricAlarm", "CompositeAlarm"]


def rung(client: Client, name: str, *values: str) -> None:
    for value in values:
        client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=value, StateReason=f"to be {value}")


def history(client: Client, name: str, **asked: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"HistoryItemType": "StateUpdate", "ScanBy": "TimestampAscending"} | asked
    found: list[dict[str, Any]] = client("cloudwatch").describe_alarm_history(AlarmName=name, **given)[
        "AlarmHistoryItems"
    ]
    return found


def states(items: list[dict[str, Any]]) -> list[str]:
    return [json.loads(one["HistoryData"])["newState"]["stateValue"] for one in items]


def test_each_change_is_kept_as_cloudwatch_writes_it_and_no_more_than_the_changes(client: Client, variant: str) -> None:
    name = share_alarm(client, variant, TreatMissingData="ignore")
    rung(client, name, "OK", "OK", "ALARM")

    first, last = history(client, name)

    assert (first["HistorySummary"], last["HistorySummary"]) == (
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
    )
    assert json.loads(last["HistoryData"]) == {
        "version": "1.0",
        "oldState": {"stateValue": "OK", "stateReason": "to be OK"},
        "newState": {"stateValue": "ALARM", "stateReason": "to be ALARM"},
    }
    assert (last["AlarmType"], last["Timestamp"] >= first["Timestamp"]) == ("MetricAlarm", True)
    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["StateUpdatedTimestamp"] == last["Timestamp"]


def test_the_newest_comes_first_in_pages_and_between_two_moments(client: Client, variant: str) -> None:
    name = share_alarm(client, variant, TreatMissingData="ignore")
    rung(client, name, "OK", "ALARM")
    middle = datetime.now(tz=UTC)
    time.sleep(0.002)
    rung(client, name, "OK", "ALARM", "OK")

    pages = client("cloudwatch").get_paginator("describe_alarm_history")
    asked = {"AlarmName": name, "HistoryItemType": "StateUpdate", "PaginationConfig": {"PageSize": 2}}
    found = [page["AlarmHistoryItems"] for page in pages.paginate(**asked)]

    assert [states(page) for page in found] == [["OK", "ALARM"], ["OK", "ALARM"], ["OK"]]
    assert states(history(client, name, StartDate=middle)) == ["OK", "ALARM", "OK"]
    assert states(history(client, name, EndDate=middle)) == ["OK", "ALARM"]
    assert history(client, name, StartDate=middle + timedelta(hours=1)) == []
    with pytest.raises(ClientError, match="InvalidNextToken"):
        history(client, name, NextToken="another's")


def test_of_a_composite_alarm_only_those_hear_who_ask_for_its_kind(client: Client, variant: str) -> None:
    name = share_alarm(client, variant, TreatMissingData="ignore")
    client("cloudwatch").put_composite_alarm(AlarmName=variant, AlarmRule=f'ALARM("{name}")')
    rung(client, name, "ALARM")
    wait_for(lambda: state(client, variant), "ALARM")

    (item,) = [one for one in history(client, variant, AlarmTypes=BOTH) if states([one]) == ["ALARM"]]

    assert item["AlarmType"] == "CompositeAlarm"
    assert history(client, variant) == []


def test_it_is_kept_when_the_alarm_is_gone_with_what_was_set_up_and_done(client: Client, variant: str) -> None:
    topic = client("sns").create_topic(Name=variant)["TopicArn"]
    name = share_alarm(client, variant, TreatMissingData="ignore", AlarmActions=[topic])
    share_alarm(client, variant, TreatMissingData="ignore", AlarmActions=[topic])
    rung(client, name, "ALARM")
    wait_for(lambda: [one["HistorySummary"] for one in history(client, name, HistoryItemType="Action")] != [], True)
    client("cloudwatch").delete_alarms(AlarmNames=[name])

    (acted,) = history(client, name, HistoryItemType="Action")
    configured = history(client, name, HistoryItemType="ConfigurationUpdate")

    assert acted["HistorySummary"] == f"Successfully executed action {topic}"
    assert [one["HistorySummary"] for one in configured] == [
        f'Alarm "{name}" {what}' for what in ("created", "updated", "deleted")
    ]
