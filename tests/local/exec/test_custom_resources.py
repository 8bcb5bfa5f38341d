"""What becomes of a custom resource?"""

from __future__ import annotations

import json
import time
from typing import Any

from tests.local.exec.account import Account, allow, eventually

PROVIDER = """
import json, os, urllib.request, boto3

def handle(event, context):
    kind, properties = event["RequestType"], event["ResourceProperties"]
    boto3.client("sqs").send_message(QueueUrl=os.environ["DIARY"], MessageBody=kind + " " + properties["Word"])
    failed = properties["Word"] == "bad" and kind != "Delete"
    answer = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": "the word is bad",
        "PhysicalResourceId": event.get("PhysicalResourceId", "thing-1"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Shout": properties["Word"].upper()},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""


def template(token: str, word: str) -> str:
    """A stack of one custom resource."""
    return json.dumps(
        {
            "Resources": {"Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": token, "Word": word}}},
            "Outputs": {"Shout": {"Value": {"Fn::GetAtt": ["Thing", "Shout"]}}},
        }
    )


def outputs(account: Account, stack: str, status: str) -> dict[str, str]:
    """A stack's outputs, once it has the status."""
    cloudformation = account.client("cloudformation")

    def described() -> dict[str, Any] | None:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return found if found["StackStatus"] == status else None

    return {item["OutputKey"]: item["OutputValue"] for item in eventually(described).get("Outputs", [])}


def test_a_custom_resource_is_created_changed_and_deleted_by_its_function(account: Account) -> None:
    diary, arn = account.queue()
    function = account.function(PROVIDER, allow("sqs:SendMessage", arn), Environment={"Variables": {"DIARY": diary}})
    cloudformation, stack, token = account.client("cloudformation"), f"stack-{time.time_ns()}", account.arn(function)

    cloudformation.create_stack(StackName=stack, TemplateBody=template(token, "blue"))
    assert outputs(account, stack, "CREATE_COMPLETE") == {"Shout": "BLUE"}
    cloudformation.update_stack(StackName=stack, TemplateBody=template(token, "green"))
    assert outputs(account, stack, "UPDATE_COMPLETE") == {"Shout": "GREEN"}
    cloudformation.delete_stack(StackName=stack)

    written = eventually(lambda: (found := [m["Body"] for m in account.messages(diary)]) and len(found) >= 3 and found)
    assert sorted(written) == ["Create blue", "Delete green", "Update green"]


def test_a_custom_resource_that_fails_takes_the_stack_back(account: Account) -> None:
    diary, arn = account.queue()
    function = account.function(PROVIDER, allow("sqs:SendMessage", arn), Environment={"Variables": {"DIARY": diary}})
    stack = f"stack-{time.time_ns()}"

    account.client("cloudformation").create_stack(StackName=stack, TemplateBody=template(account.arn(function), "bad"))

    outputs(account, stack, "ROLLBACK_COMPLETE")
    events = account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    assert any("the word is bad" in event.get("ResourceStatusReason", "") for event in events)
