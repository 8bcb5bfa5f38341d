"""Do alarms watch by themselves, tell what they saw, and act?"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudwatch.conftest import Client, dimensions, put


@pytest.fixture
def inbox(client: Client) -> tuple[str, str]:
    """A queue that events, topics and anybody may write to: its URL and its ARN."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def measured(name: str, variant: str, metric: str, statistic: str = "Sum") -> dict[str, Any]:
    named = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions(variant)}
    return {"Id": name, "ReturnData": False, "MetricStat": {"Metric": named, "Period": 60, "Stat": statistic}}


def share_alarm(client: Client, variant: str, **changes: Any) -> str:
    """An alarm on the share of errors of 20 requests or more."""
    name = f"churn--{variant}-errors"
    expression = {"Id": "share", "Expression": "IF(n >= 20, FILL(e, 0) / n, 0)"}
    metrics = [measured("n", variant, "Invocations"), measured("e", variant, "Invocation5XXErrors"), expression]
    arguments = {"TreatMissingData": "notBreaching", "EvaluationPeriods": 1, "Metrics": metrics, "Threshold": 0.1}
    client("cloudwatch").put_metric_alarm(
        AlarmName=name, ComparisonOperator="GreaterThanThreshold", **(arguments | changes)
    )
    return name


def state(client: Client, name: str) -> str:
    found = client("cloudwatch").describe_alarms(AlarmNames=[name])
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def wait_for(look: Callable[[], Any], wanted: object) -> None:
    deadline = time.monotonic() + 20
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"must become {wanted!r}, got {seen!r}"
        time.sleep(0.05)


def messages(client: Client, url: str, count: int) -> list[Any]:
    found: list[Any] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < deadline, f"got {found}"
        came = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        found += [json.loads(one["Body"]) for one in came]
    return found


def test_an_alarm_rises_with_its_metrics_and_falls_with_them(client: Client, variant: str) -> None:
    name = share_alarm(client, variant)
    wait_for(lambda: state(client, name), "OK")

    put(client, variant, Invocations=30, Invocation5XXErrors=10)

    wait_for(lambda: state(client, name), "ALARM")
    wait_for(lambda: state(client, name), "OK")


def test_few_requests_are_no_share(client: Client, variant: str) -> None:
    few, many = share_alarm(client, variant), share_alarm(client, f"{variant}x")
    wait_for(lambda: (state(client, few), state(client, many)), ("OK", "OK"))

    put(client, variant, Invocations=19, Invocation5XXErrors=19)
    put(client, f"{variant}x", Invocations=20, Invocation5XXErrors=20)

    wait_for(lambda: state(client, many), "ALARM")
    assert state(client, few) == "OK"


def test_a_change_is_an_event_that_a_rule_can_match_by_the_alarms_name(
    client: Client, variant: str, inbox: tuple[str, str]
) -> None:
    url, arn = inbox
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": f"churn--{variant}-"}], "state": {"value": ["ALARM"]}},
    }
    client("events").put_rule(Name=variant, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=variant, Targets=[{"Id": "inbox", "Arn": arn}])
    name = share_alarm(client, variant)

    put(client, variant, Invocations=30, Invocation5XXErrors=30)

    (event,) = messages(client, url, 1)
    assert event["detail"]["alarmName"] == name
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["previousState"]["value"] in ("OK", "INSUFFICIENT_DATA")
    assert event["resources"][0].endswith(f":alarm:{name}")
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"] == {
        "EndpointName": "churn",
        "VariantName": variant,
    }


def test_an_alarm_that_is_set_by_hand_is_told_and_then_falls_back_to_the_truth(
    client: Client, variant: str, inbox: tuple[str, str]
) -> None:
    url, arn = inbox
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [f"churn--{variant}-errors"]}}
    name = share_alarm(client, variant)
    wait_for(lambda: state(client, name), "OK")
    client("events").put_rule(Name=variant, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=variant, Targets=[{"Id": "inbox", "Arn": arn}])

    client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")

    told = messages(client, url, 2)
    assert [one["detail"]["state"]["value"] for one in told] == ["ALARM", "OK"]
    assert told[0]["detail"]["state"]["reason"] == "a drill"


def test_an_alarm_tells_its_topic(client: Client, variant: str, inbox: tuple[str, str]) -> None:
    url, arn = inbox
    topic = client("sns").create_topic(Name=variant)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    client("sns").set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    name = share_alarm(client, variant, AlarmActions=[topic])

    put(client, variant, Invocations=30, Invocation5XXErrors=30)

    (message,) = messages(client, url, 1)
    assert (message["AlarmName"], message["NewStateValue"]) == (name, "ALARM")


def test_alarms_on_alarms_follow_them(client: Client, variant: str) -> None:
    name = share_alarm(client, variant)
    client("cloudwatch").put_composite_alarm(AlarmName=variant, AlarmRule=f'ALARM("{name}") AND NOT ALARM(gone)')
    wait_for(lambda: state(client, variant), "OK")

    put(client, variant, Invocations=30, Invocation5XXErrors=30)

    wait_for(lambda: state(client, variant), "ALARM")


@pytest.mark.parametrize(
    ("policy", "expected"), [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")]
)
def test_silence_means_what_the_alarm_says(client: Client, variant: str, policy: str, expected: str) -> None:
    name = share_alarm(client, variant, TreatMissingData=policy)
    client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="OK", StateReason="to begin with")

    wait_for(lambda: state(client, name), expected)


def test_an_alarm_that_cannot_be_evaluated_says_so(client: Client, variant: str) -> None:
    name = share_alarm(
        client, variant, Metrics=[{"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(n, 2)", "Period": 60}]
    )
    client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="OK", StateReason="to begin with")
    wait_for(lambda: state(client, name), "INSUFFICIENT_DATA")

    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]

    assert alarm["StateReason"].startswith("Not evaluated: the embedded AWS")


def test_a_p99_alarm_can_fire(client: Client, variant: str) -> None:
    name = f"churn--{variant}-p99"
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=dimensions(variant),
        ExtendedStatistic="p99",
        Period=60,
        EvaluationPeriods=1,
        Threshold=200_000,
        ComparisonOperator="GreaterThanThreshold",
    )

    for latency in [10_000] * 20 + [500_000]:
        put(client, variant, ModelLatency=latency)

    wait_for(lambda: state(client, name), "ALARM")


def test_a_minute_takes_a_second_here_and_percentiles_are_those_of_the_values(client: Client, variant: str) -> None:
    for latency in range(1, 101):
        put(client, variant, ModelLatency=float(latency))
    now = datetime.now(UTC)

    queries = [measured("p", variant, "ModelLatency", "p50"), measured("n", variant, "ModelLatency", "SampleCount")]
    queries.append({"Id": "total", "Expression": "SUM(n)"})
    for query in queries:
        query["ReturnData"] = True
    found = client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(seconds=30), EndTime=now + timedelta(seconds=2)
    )["MetricDataResults"]

    by_id = {one["Id"]: one for one in found}
    assert sum(by_id["n"]["Values"]) == 100
    assert by_id["total"]["Values"][0] == 100
    moments = [one.timestamp() for one in by_id["n"]["Timestamps"]]
    assert all(one == int(one) for one in moments)
    assert max(moments) - min(moments) < 30


def test_a_question_that_cannot_be_answered_is_refused(client: Client, variant: str) -> None:
    now = datetime.now(UTC)
    for query in (
        {"Id": "all", "Expression": "SEARCH('{AWS/SageMaker}', 'Sum', 60)"},
        measured("tm", variant, "ModelLatency", "tm90") | {"ReturnData": True},
    ):
        put(client, variant, ModelLatency=1.0)
        with pytest.raises(ClientError, match="the embedded AWS"):
            client("cloudwatch").get_metric_data(
                MetricDataQueries=[query], StartTime=now - timedelta(seconds=30), EndTime=now + timedelta(seconds=30)
            )
