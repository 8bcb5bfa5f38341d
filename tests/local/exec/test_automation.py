"""Do automation documents run: their steps, in their order, as their role, with what they were given?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.exec.account import Account, allow, eventually

PARAMETERS = {
    "Text": {"type": "String", "allowedPattern": "^[a-z]+$"},
    "Way": {"type": "String", "default": "short", "allowedValues": ["short", "long"]},
}
ENDED = ("Success", "Failed", "Cancelled")


class Automations:
    """Documents that are put and run."""

    def __init__(self, account: Account) -> None:
        self.account, self.ssm = account, account.client("ssm")

    def put(self, steps: list[dict[str, Any]], *may: dict[str, Any], **more: Any) -> str:
        """A document whose role may do this; its name."""
        name = f"document-{uuid.uuid4().hex[:8]}"
        role = self.account.role("ssm.amazonaws.com", *may)
        content = {"schemaVersion": "0.3", "assumeRole": role, "parameters": PARAMETERS, "mainSteps": steps, **more}
        self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
        return name

    def start(self, name: str, **given: str) -> str:
        parameters = {"Text": ["abc"]} | {key: [value] for key, value in given.items()}
        found: str = self.ssm.start_automation_execution(DocumentName=name, Parameters=parameters)[
            "AutomationExecutionId"
        ]
        return found

    def look(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ssm.get_automation_execution(AutomationExecutionId=execution)
        return found["AutomationExecution"]  # type: ignore[no-any-return]

    def until(self, execution: str, *statuses: str) -> dict[str, Any]:
        found: dict[str, Any] = eventually(
            lambda: (now := self.look(execution))["AutomationExecutionStatus"] in (statuses or ENDED) and now
        )
        return found

    def run(self, name: str, **given: str) -> dict[str, Any]:
        return self.until(self.start(name, **given))


@pytest.fixture
def automations(account: Account) -> Automations:
    return Automations(account)


@pytest.fixture(scope="module")
def table(client: Callable[[str], Any]) -> str:
    name = f"rows-{uuid.uuid4().hex[:8]}"
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def put(table: str, name: str = "Put", **more: Any) -> dict[str, Any]:
    item = {"id": {"S": "{{ Text }}"}, "state": {"S": "new"}, "by": {"S": "{{ automation:EXECUTION_ID }}"}}
    inputs = {"Service": "dynamodb", "Api": "PutItem", "TableName": table, "Item": item}
    return {"name": name, "action": "aws:executeAwsApi", "inputs": inputs, **more}


def read(table: str, name: str, action: str, *wanted: str, **more: Any) -> dict[str, Any]:
    asked = {"Service": "dynamodb", "Api": "GetItem", "TableName": table, "Key": {"id": {"S": "{{ Text }}"}}}
    inputs = {**asked, "PropertySelector": "$.Item.state.S", "DesiredValues": [*wanted]}
    return {"name": name, "action": action, "inputs": inputs, **more}


def branch(name: str, otherwise: str, **ways: str) -> dict[str, Any]:
    choices = [{"NextStep": to, "Variable": "{{ Way }}", "StringEquals": way} for way, to in ways.items()]
    return {"name": name, "action": "aws:branch", "inputs": {"Choices": choices, "Default": otherwise}}


def script(code: str, name: str = "Script", **more: Any) -> dict[str, Any]:
    inputs = {"Runtime": "python3.11", "Handler": "f", "Script": code, "InputPayload": {"text": "{{ Text }}"}}
    return {"name": name, "action": "aws:executeScript", "inputs": inputs, **more}


def steps_of(ended: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["StepName"], one["StepStatus"]) for one in ended["StepExecutions"]]


def test_steps_call_aws_as_the_documents_role_and_go_where_a_branch_leads(
    automations: Automations, table: str, client: Callable[[str], Any]
) -> None:
    name = automations.put(
        [
            branch("Choose", "Fail", short="Put"),
            {"name": "Fail", "action": "aws:sleep", "inputs": {"Duration": "nonsense"}},
            put(table, nextStep="Seen"),
            read(table, "Never", "aws:assertAwsResourceProperty", "never"),
            read(table, "Seen", "aws:waitForAwsResourceProperty", "old", "new", isEnd=True),
        ],
        allow(["dynamodb:PutItem", "dynamodb:GetItem"]),
    )

    ended = automations.run(name)

    assert steps_of(ended) == [("Choose", "Success"), ("Put", "Success"), ("Seen", "Success")], ended
    row = client("dynamodb").get_item(TableName=table, Key={"id": {"S": "abc"}})["Item"]
    assert row["by"] == {"S": ended["AutomationExecutionId"]}
    listed = automations.ssm.describe_automation_executions(Filters=[{"Key": "DocumentNamePrefix", "Values": [name]}])[
        "AutomationExecutionMetadataList"
    ]
    assert [one["AutomationExecutionStatus"] for one in listed] == ["Success"]


def test_a_call_that_the_role_may_not_make_fails_the_execution_and_says_so(
    automations: Automations, table: str
) -> None:
    ended = automations.run(automations.put([put(table)], allow("dynamodb:GetItem")))

    assert ended["AutomationExecutionStatus"] == "Failed"
    assert "is not authorized to perform: dynamodb:PutItem" in ended["FailureMessage"]


def test_a_property_that_is_not_as_it_must_be_fails_the_execution(automations: Automations, table: str) -> None:
    asserts = read(table, "Assert", "aws:assertAwsResourceProperty", "old")
    waits = read(table, "Wait", "aws:waitForAwsResourceProperty", "old", timeoutSeconds=20)
    for step in (asserts, waits):
        ended = automations.run(automations.put([put(table), step], allow(["dynamodb:PutItem", "dynamodb:GetItem"])))
        assert ended["FailureMessage"].startswith(
            f"step {step['name']} failed: $.Item.state.S of dynamodb GetItem must be old, got 'new'"
        )


def test_a_script_runs_in_a_process_of_its_own_and_tells_later_steps(automations: Automations) -> None:
    code = "import boto3\ndef f(events, context):\n    return {'size': len(events['text'])}"
    outputs = [{"Name": "Size", "Selector": "$.Payload.size", "Type": "Integer"}]
    second = script("def f(events, context):\n    raise RuntimeError('got ' + repr(events['size']))", name="Second")
    second["inputs"]["InputPayload"] = {"size": "{{ Script.Size }}"}
    name = automations.put([script(code, outputs=outputs), second], outputs=["Script.Size"])

    ended = automations.run(name)

    assert ended["FailureMessage"].startswith("step Second failed: RuntimeError: got 3")
    assert ended["Outputs"] == {"Script.Size": ["3"]}


def test_what_a_document_does_not_allow_starts_nothing(automations: Automations, table: str) -> None:
    name = automations.put([put(table)])

    for given, said in (
        ({"Text": "ABC"}, r"the parameter Text must match \^\[a-z\]\+\$, got 'ABC'"),
        ({"Way": "none"}, "the parameter Way must be one of short, long, got 'none'"),
        ({"Other": "x"}, "the document has no parameter Other; it has Text, Way"),
    ):
        with pytest.raises(ClientError, match=said):
            automations.start(name, **given)
    with pytest.raises(ClientError, match="no automation document nothing"):
        automations.start("nothing")


def test_an_approval_is_given_by_one_of_those_who_are_asked_and_by_nobody_else(
    automations: Automations, account: Account, client: Callable[[str], Any]
) -> None:
    team, other = (account.role("ec2.amazonaws.com", allow("ssm:SendAutomationSignal")) for _ in range(2))
    topic = client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    asks = {"NotificationArn": topic, "Approvers": [team], "MinRequiredApprovals": 1, "Message": "May it?"}
    steps = [{"name": "Ask", "action": "aws:approve", "inputs": asks}]
    name = automations.put(steps, allow("sns:Publish", topic))

    for signal, status in (("Approve", "Success"), ("Reject", "Failed")):
        execution = automations.start(name)
        automations.until(execution, "Waiting")
        answer = {"AutomationExecutionId": execution, "SignalType": signal}
        with pytest.raises(ClientError, match="must be answered by one of"):
            account.as_role(other, "ssm").send_automation_signal(**answer)
        account.as_role(team, "ssm").send_automation_signal(**answer)
        assert automations.until(execution)["AutomationExecutionStatus"] == status


def test_an_execution_that_is_stopped_does_what_its_step_says_for_that(automations: Automations, table: str) -> None:
    sleep = {"name": "Sleep", "action": "aws:sleep", "inputs": {"Duration": "PT9H"}, "onCancel": "step:Put"}
    name = automations.put([sleep, put(table, isEnd=True)], allow("dynamodb:PutItem"))
    execution = automations.start(name)
    eventually(lambda: automations.look(execution)["StepExecutions"])

    automations.ssm.stop_automation_execution(AutomationExecutionId=execution)

    ended = automations.until(execution)
    assert ended["AutomationExecutionStatus"] == "Cancelled"
    assert steps_of(ended) == [("Sleep", "Cancelled"), ("Put", "Success")]


def test_whoever_starts_a_document_must_be_allowed_to_and_to_pass_its_role(
    automations: Automations, account: Account
) -> None:
    name = automations.put([{"name": "Sleep", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}])
    given = {"DocumentName": name, "Parameters": {"Text": ["abc"]}}
    starts = allow("ssm:StartAutomationExecution", f"arn:aws:ssm:*:*:automation-definition/{name}:*")

    for may, said in (((), "ssm:StartAutomationExecution"), ((starts,), "iam:PassRole")):
        ssm = account.as_role(account.role("ec2.amazonaws.com", *may), "ssm")
        with pytest.raises(ClientError, match=f"not authorized to perform: {said}"):
            ssm.start_automation_execution(**given)
    ssm = account.as_role(account.role("ec2.amazonaws.com", starts, allow("iam:PassRole")), "ssm")
    assert ssm.start_automation_execution(**given)["AutomationExecutionId"]
