"""Is an automation document that cannot run found before it is deployed, and its role held against its steps?"""

from collections.abc import Mapping
from typing import Any

import pytest

from mlplatform_cdk.assembly.check.automation import alarms, automations
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import Template
from tests.assembly.check.conftest import Make, role

CODE = "import boto3\ndef look(events, context):\n    return boto3.client('sagemaker').describe_endpoint()\n"
READ: dict[str, Any] = {
    "name": "Read",
    "action": "aws:waitForAwsResourceProperty",
    "inputs": {
        "Service": "dynamodb",
        "Api": "GetItem",
        "TableName": "{{ Table }}",
        "Key": {"id": {"S": "{{ Look.Id }}"}},
        "PropertySelector": "$.Item.state.S",
        "DesiredValues": ["new"],
    },
    "isEnd": True,
}
LOOK: dict[str, Any] = {
    "name": "Look",
    "action": "aws:executeScript",
    "inputs": {"Runtime": "python3.11", "Handler": "look", "Script": CODE, "InputPayload": {"a": "{{ Table }}"}},
    "outputs": [{"Name": "Id", "Selector": "$.Payload.Id", "Type": "String"}],
}


def made(make: Make, *steps: Mapping[str, Any], may: tuple[str, ...] = (), **content: Any) -> Template:
    parameters = {"Table": {"type": "String", "allowedPattern": "^[a-z]+$"}}
    document = {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "DocumentType": "Automation",
            "Content": {
                "schemaVersion": "0.3",
                "assumeRole": {"Fn::GetAtt": ["Role", "Arn"]},
                "parameters": parameters,
                "mainSteps": [*steps],
                **content,
            },
        },
    }
    return make({"Document": document, "Role": role(*may)})


def with_(step: Mapping[str, Any], **inputs: Any) -> dict[str, Any]:
    kept = {name: value for name, value in {**step["inputs"], **inputs}.items() if value is not None}
    return {**step, "inputs": kept}


def test_a_document_that_runs_is_let_be(template: Make) -> None:
    assert [*automations(made(template, LOOK, READ, outputs=["Look.Id"]))] == []


@pytest.mark.parametrize(
    ("steps", "rule", "said"),
    [
        ([LOOK, with_(READ, Api="ReadItem")], "call", "the service 'dynamodb' has no action 'ReadItem'"),
        ([LOOK, with_(READ, Service="dynamo")], "call", "the service 'dynamo' does not exist"),
        ([LOOK, with_(READ, Tabel="x")], "call", "inputs.Tabel is unknown"),
        ([LOOK, with_(READ, Key=None)], "call", "inputs.Key is missing"),
        ([LOOK, with_(READ, ConsistentRead="yes")], "call", "inputs.ConsistentRead must be of type boolean"),
        ([LOOK, with_(READ, PropertySelector="$.Itme.state")], "call", "leads to nothing in what GetItem answers"),
        ([LOOK, with_(READ, DesiredValues=[])], "call", "DesiredValues must be at least one text"),
        ([LOOK, with_(READ, TableName="{{ Tabel }}")], "reference", "{{ Tabel }} is neither a parameter nor a step's"),
        ([{**LOOK, "nextStep": "Raed"}, READ], "flow", "Look: leads to 'Raed', which does not exist"),
        ([{**LOOK, "isEnd": True}, READ], "flow", "Read: nothing leads to it"),
        ([{**LOOK, "onFailure": "step:Mend"}, READ], "flow", "Look: leads to 'Mend', which does not exist"),
        ([LOOK, READ, {**READ}], "flow", "its name must be its own"),
        ([with_(LOOK, Handler="lok"), READ], "script", "its script has no function lok"),
        ([with_(LOOK, Script="def look(:"), READ], "script", "its script is no Python"),
    ],
)
def test_what_would_fail_when_it_runs_is_found(
    template: Make, steps: list[dict[str, Any]], rule: str, said: str
) -> None:
    found = [(one.rule, one.message) for one in automations(made(template, *steps))]

    assert (f"automation-{rule}", True) in [(kind, said in text) for kind, text in found], found


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"allowedPattern": "^[a-z"}, "allowedPattern must be a regular expression"),
        ({"allowedPattern": "^[a-z]+$", "default": "A"}, r"its default must match ^[a-z]+$, got 'A'"),
        ({"allowedValues": ["a", "b"], "default": "c"}, "its default must be one of a, b, got 'c'"),
    ],
)
def test_a_parameter_must_allow_its_default(template: Make, parameter: dict[str, Any], said: str) -> None:
    document = made(template, LOOK, READ, parameters={"Table": {"type": "String", **parameter}})

    (found,) = automations(document)

    assert (found.rule, said in found.message) == ("automation-parameter", True), found.message


def test_the_role_is_held_against_the_calls_of_steps_and_scripts(template: Make) -> None:
    asks = {"name": "Ask", "action": "aws:approve", "inputs": {"NotificationArn": "arn:aws:sns:eu-west-1:1:t"}}
    short = made(template, LOOK, asks, READ, may=("dynamodb:Scan",))

    found = {one.rule: one.message for one in Permissions().findings(short)}

    assert set(found) == {
        "permission-missing[dynamodb:GetItem]",
        "permission-missing[sagemaker:DescribeEndpoint]",
        "permission-missing[sns:Publish]",
        "permission-unused[dynamodb:Scan]",
    }
    assert "(step Read)" in found["permission-missing[dynamodb:GetItem]"]
    assert "(the script of step Look)" in found["permission-missing[sagemaker:DescribeEndpoint]"]
    whole = made(template, LOOK, READ, may=("dynamodb:GetItem", "sagemaker:DescribeEndpoint"))
    assert [*Permissions().findings(whole)] == []


def alarm(text: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmDescription": text}}


def test_an_alarm_beside_runbooks_must_name_one(template: Make) -> None:
    named = alarm({"Fn::Join": ["", ["It rings. Runbook: churn-drain, to drain: https://", {"Ref": "AWS::Region"}]]})
    bare = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}}

    found = [*alarms(template({"Named": named, "Bare": bare, "Worded": alarm("It rings. What to do: drain")}))]

    assert [(one.rule, one.logical_id) for one in found] == [
        ("alarm-without-runbook", "Bare"),
        ("alarm-without-runbook", "Worded"),
    ]
    assert [*alarms(template({"Bare": bare, "Worded": alarm("It rings")}))] == []
