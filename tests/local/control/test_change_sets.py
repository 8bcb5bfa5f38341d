"""What the cdk CLI relies on: change sets that say what would happen, and then make it happen."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]


def template(**values: str) -> str:
    resources = {
        name: {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/cs/{name}", "Type": "String", "Value": value}}
        for name, value in values.items()
    }
    outputs = {"First": {"Value": {"Ref": next(iter(values))}, "Export": {"Name": "first"}}}
    return json.dumps(
        {
            "Parameters": {"Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cs-version"}},
            "Resources": resources,
            "Outputs": outputs,
        }
    )


@pytest.fixture(scope="module")
def stack(client: Client) -> str:
    """A stack that a change set made."""
    client("ssm").put_parameter(Name="/cs-version", Value="1", Type="String")
    name = f"ChangeSets{uuid.uuid4().hex[:6]}"
    execute(client, name, template(a="1", b="1"), "CREATE")
    return name


def propose(client: Client, stack: str, body: str, kind: str, **more: Any) -> Any:
    cloudformation = client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=stack, ChangeSetName="proposal", ChangeSetType=kind, TemplateBody=body, **more
    )
    return cloudformation.describe_change_set(ChangeSetName=change_set["Id"], StackName=stack)


def execute(client: Client, stack: str, body: str, kind: str, **more: Any) -> Any:
    cloudformation = client("cloudformation")
    proposal = propose(client, stack, body, kind, **more)
    cloudformation.execute_change_set(ChangeSetName=proposal["ChangeSetId"])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    cloudformation.delete_change_set(ChangeSetName=proposal["ChangeSetId"])
    return found


def test_a_created_stack_has_its_outputs_and_exports(client: Client, stack: str) -> None:
    found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]

    assert found["StackStatus"] == "CREATE_COMPLETE"
    assert found["Outputs"] == [{"OutputKey": "First", "OutputValue": "/cs/a", "ExportName": "first"}]
    assert "first" in {export["Name"] for export in client("cloudformation").list_exports()["Exports"]}


def test_a_proposal_says_what_is_added_changed_and_removed(client: Client, stack: str) -> None:
    proposal = propose(client, stack, template(a="2", c="1"), "UPDATE")

    changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in proposal["Changes"]}
    assert changes == {"a": "Modify", "b": "Remove", "c": "Add"}


def test_a_proposal_without_changes_fails_as_in_aws(client: Client, stack: str) -> None:
    parameters = [{"ParameterKey": "Version", "UsePreviousValue": True}]

    body = client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    proposal = propose(client, stack, text, "UPDATE", Parameters=parameters)

    assert (proposal["Status"], proposal["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in proposal["StatusReason"]


def test_an_update_keeps_a_parameter_that_comes_from_systems_manager(client: Client, stack: str) -> None:
    parameters = [{"ParameterKey": "Version", "UsePreviousValue": True}]

    found = execute(client, stack, template(a="2", b="1"), "UPDATE", Parameters=parameters)

    assert found["StackStatus"] == "UPDATE_COMPLETE"
    assert client("ssm").get_parameter(Name="/cs/a")["Parameter"]["Value"] == "2"


def test_a_change_set_that_is_gone_has_its_own_error(client: Client, stack: str) -> None:
    with pytest.raises(ClientError) as gone:
        client("cloudformation").describe_change_set(ChangeSetName="gone", StackName=stack)

    assert gone.value.response["Error"]["Code"] == "ChangeSetNotFound"
