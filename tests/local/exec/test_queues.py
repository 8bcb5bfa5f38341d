"""How do queues feed functions?"""

from __future__ import annotations

import json
import time
from typing import Any

from mlplatform_cdk.local.adapters.queues import failures_in
from tests.local.exec.account import Account, allow, eventually

RECEIVE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
FORWARD = """
import boto3, json, os
def handle(event, context):
    bodies = [record["body"] for record in event["Records"]]
    boto3.client("sqs").send_message(QueueUrl=os.environ["TARGET"], MessageBody=json.dumps(bodies))
"""


def feed(
    account: Account, source: str, *, target: str = "", attributes: dict[str, str] | None = None, **mapping: Any
) -> str:
    """A queue that feeds a function of ``source``; its URL."""
    url, arn = account.queue(**(attributes or {}))
    function = account.function(
        source, allow(RECEIVE, arn), allow("sqs:SendMessage"), Environment={"Variables": {"TARGET": target}}
    )
    account.client("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=arn, **mapping)
    return url


def test_a_message_reaches_the_function_and_is_gone(account: Account) -> None:
    target, _ = account.queue()
    url = feed(account, FORWARD, target=target)

    account.client("sqs").send_message(QueueUrl=url, MessageBody="hello")

    assert json.loads(account.messages(target)[0]["Body"]) == ["hello"]
    eventually(lambda: _count(account, url) == 0)


def test_a_delay_passes_by_the_rehearsal_s_clock(account: Account) -> None:
    target, _ = account.queue()
    url = feed(account, FORWARD, target=target, attributes={"DelaySeconds": "200"})
    started = time.monotonic()

    account.client("sqs").send_message(QueueUrl=url, MessageBody="later")

    account.messages(target)
    assert 2.0 <= time.monotonic() - started < 10


def test_a_failing_function_sends_its_message_to_the_dead_letters(account: Account) -> None:
    dead, dead_arn = account.queue()
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    source = "def handle(e, c):\n    raise ValueError('no')\n"
    url = feed(account, source, attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"})

    account.client("sqs").send_message(QueueUrl=url, MessageBody="poison")

    assert account.messages(dead)[0]["Body"] == "poison"


def test_only_the_messages_that_failed_come_back(account: Account) -> None:
    dead, dead_arn = account.queue()
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    source = (
        "def handle(e, c):\n"
        "    bad = [r['messageId'] for r in e['Records'] if r['body'] == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': i} for i in bad]}\n"
    )
    url = feed(
        account,
        source,
        attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"},
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )

    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(["good", "bad", "good"])]
    account.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)

    assert [message["Body"] for message in account.messages(dead)] == ["bad"]
    eventually(lambda: _count(account, url) == 0)


def test_a_role_that_may_not_receive_gets_nothing(account: Account) -> None:
    target, _ = account.queue()
    url, arn = account.queue()
    function = account.function(FORWARD, allow("sqs:SendMessage"), Environment={"Variables": {"TARGET": target}})
    account.client("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=arn)

    account.client("sqs").send_message(QueueUrl=url, MessageBody="hello")

    time.sleep(1)
    assert _count(account, url) == 1
    assert _count(account, target) == 0


def test_a_report_that_names_strangers_fails_the_whole_batch() -> None:
    assert failures_in({"batchItemFailures": [{"itemIdentifier": "x"}]}, {"a", "b"}) == {"a", "b"}
    assert failures_in({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a", "b"}) == {"a"}
    assert failures_in({"batchItemFailures": []}, {"a", "b"}) == set()
    assert failures_in(None, {"a", "b"}) == set()


def _count(account: Account, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)
