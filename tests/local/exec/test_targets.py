"""How does EventBridge deliver?"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from mlplatform_cdk.local.adapters.targets.transform import body_of
from tests.local.exec.account import Account, allow, document, eventually

EVENT = {"id": "1", "source": "ours", "detail": {"name": "churn", "tags": ["a", "b"], "say": 'a "word"'}}


def rule(account: Account, **more: Any) -> tuple[str, str, str]:
    """A rule, its ARN, and the source that it listens to."""
    source, name = f"test.{time.time_ns()}", f"rule-{time.time_ns()}"
    arn = account.client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [source]}), **more)["RuleArn"]
    return name, arn, source


def put(account: Account, source: str, detail: dict[str, Any]) -> None:
    """One event."""
    entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail)}
    account.client("events").put_events(Entries=[entry])


def test_an_event_starts_an_execution_with_the_target_s_role(account: Account) -> None:
    machine = account.machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    role = account.role("events.amazonaws.com", allow("states:StartExecution", machine))
    name, _, source = rule(account)
    target = {"Id": "machine", "Arn": machine, "RoleArn": role, "InputPath": "$.detail"}
    account.client("events").put_targets(Rule=name, Targets=[target])

    put(account, source, {"n": 1})

    states = account.client("stepfunctions")
    started = eventually(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    assert json.loads(states.describe_execution(executionArn=started[0]["executionArn"])["input"]) == {"n": 1}


def test_a_refused_event_is_in_the_dead_letters_with_the_reason(account: Account) -> None:
    machine = account.machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    role = account.role("events.amazonaws.com")
    url, queue = account.queue()
    name, arn, source = rule(account)
    account.let_in(url, queue, arn)
    target = {"Id": "machine", "Arn": machine, "RoleArn": role, "DeadLetterConfig": {"Arn": queue}}
    account.client("events").put_targets(Rule=name, Targets=[target])

    put(account, source, {"n": 1})

    message = account.messages(url)[0]
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    reason = message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert f"is not authorized to perform: states:StartExecution on resource: {machine}" in reason


def test_a_function_needs_a_permission_for_the_rule(account: Account) -> None:
    url, queue = account.queue()
    source_text = (
        "import boto3, json\n"
        "def handle(e, c):\n"
        f"    boto3.client('sqs').send_message(QueueUrl='{url}', MessageBody=json.dumps(e))\n"
    )
    function = account.function(source_text, allow("sqs:SendMessage", queue))
    name, arn, source = rule(account)
    dead, dead_arn = account.queue()
    account.let_in(dead, dead_arn, arn)
    transformer = {"InputPathsMap": {"who": "$.detail.name"}, "InputTemplate": '{"hello": <who>}'}
    account.client("events").put_targets(
        Rule=name,
        Targets=[
            {
                "Id": "function",
                "Arn": account.arn(function),
                "InputTransformer": transformer,
                "DeadLetterConfig": {"Arn": dead_arn},
            }
        ],
    )

    put(account, source, {"name": "blue"})
    assert account.messages(dead)[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"

    account.client("lambda").add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=arn,
    )
    put(account, source, {"name": "green"})
    assert json.loads(account.messages(url)[0]["Body"]) == {"hello": "green"}


def test_a_topic_passes_an_event_on(account: Account) -> None:
    url, queue = account.queue()
    sns = account.client("sns")
    topic = sns.create_topic(Name=f"topic-{time.time_ns()}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    account.let_in(url, queue, topic, "sns.amazonaws.com")
    statement = allow("sns:Publish", topic, Principal={"Service": "events.amazonaws.com"})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(statement))
    name, _, source = rule(account)
    account.client("events").put_targets(Rule=name, Targets=[{"Id": "topic", "Arn": topic}])

    put(account, source, {"n": 5})

    assert json.loads(json.loads(account.messages(url)[0]["Body"])["Message"])["detail"] == {"n": 5}


def test_a_topic_reaches_only_who_lets_it_in(account: Account) -> None:
    url, queue = account.queue()
    text = (
        "import boto3, json\n"
        "def handle(e, c):\n"
        f"    boto3.client('sqs').send_message(QueueUrl='{url}', MessageBody=json.dumps(e['Records'][0]['Sns']))\n"
    )
    function = account.function(text, allow("sqs:SendMessage", queue))
    closed, closed_arn = account.queue()
    sns = account.client("sns")
    topic = sns.create_topic(Name=f"topic-{time.time_ns()}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=account.arn(function))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed_arn)
    account.client("lambda").add_permission(
        FunctionName=function,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )

    sns.publish(TopicArn=topic, Subject="news", Message="hello")

    told = json.loads(account.messages(url)[0]["Body"])
    assert (told["TopicArn"], told["Subject"], told["Message"]) == (topic, "news", "hello")
    assert "Messages" not in account.client("sqs").receive_message(QueueUrl=closed)


def test_a_disabled_rule_delivers_nothing(account: Account) -> None:
    url, queue = account.queue()
    name, arn, source = rule(account, State="DISABLED")
    account.let_in(url, queue, arn)
    account.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])

    put(account, source, {})

    time.sleep(0.5)
    assert "Messages" not in account.client("sqs").receive_message(QueueUrl=url)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param({}, EVENT, id="the event as it is"),
        pytest.param({"Input": '{"a": 1}'}, {"a": 1}, id="a constant"),
        pytest.param({"InputPath": "$.detail.tags[1]"}, "b", id="a part"),
        pytest.param(
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.name"},
                    "InputTemplate": '{"text": "is <n>", "n": <n>}',
                }
            },
            {"text": "is churn", "n": "churn"},
            id="text inside quotes, JSON outside",
        ),
        pytest.param(
            {"InputTransformer": {"InputPathsMap": {"s": "$.detail.say"}, "InputTemplate": '"said <s>"'}},
            'said a "word"',
            id="quotes are escaped",
        ),
        pytest.param(
            {"InputTransformer": {"InputPathsMap": {"x": "$.detail.none"}, "InputTemplate": '{"x": <x>}'}},
            {"x": None},
            id="what is missing is null",
        ),
        pytest.param(
            {"InputTransformer": {"InputTemplate": '{"rule": "<aws.events.rule-name>", "all": <aws.events.event>}'}},
            {"rule": "r", "all": EVENT},
            id="EventBridge's own variables",
        ),
    ],
)
def test_a_target_gets_what_it_asks_for(target: dict[str, Any], expected: Any) -> None:
    reserved = {"aws.events.rule-name": "r", "aws.events.event": EVENT}

    assert json.loads(body_of(target, EVENT, reserved)) == expected
