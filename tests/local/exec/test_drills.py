"""Do a drill's two documents break, wait, mend, and hold the lock of the releases, also where they are stopped?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from mlplatform_cdk.resilience.chaos.documents import Lock, breaking, mending
from tests.local.exec.account import Account, allow, eventually

METHOD, ALL = "~1invocations/POST", "*/*"
KEPT = ["Former"]


class Drill:
    """An API whose endpoint stops, for as long as nobody stops the drill: ten minutes are six seconds here."""

    def __init__(self, account: Account) -> None:
        self.ssm, self.gateway, self.dynamodb = (account.client(name) for name in ("ssm", "apigateway", "dynamodb"))
        self.api = self._define_api()
        self.table = self._define_table()
        given = {"RestApiId": self.api, "StageName": "live", "Method": METHOD, "Rate": "0", "Burst": "0"}
        lock = Lock(table_name=self.table, endpoint_name="churn", seconds=3300)
        stage = f"arn:aws:apigateway:us-east-1::/restapis/{self.api}/stages/live"
        rows = f"arn:aws:dynamodb:*:*:table/{self.table}"
        may = (
            allow(["apigateway:GET", "apigateway:PATCH"], stage),
            allow(["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"], rows),
        )
        mends = account.role("ssm.amazonaws.com", *may)
        name = self._put(mending("throttle", what="It stops", given=given, kept=KEPT, lock=lock))
        starts = (
            allow("ssm:StartAutomationExecution", f"arn:aws:ssm:*:*:automation-definition/{name}:*"),
            allow("iam:PassRole", mends),
        )
        self.role = account.role("ssm.amazonaws.com", *may, *starts)
        what: dict[str, Any] = {"what": "It stops", "given": given, "kept": KEPT, "lasts": "PT10M", "lock": lock}
        self.document = self._put(breaking("throttle", mending=name, mending_role=mends, **what))

    def _define_api(self) -> str:
        api: str = self.gateway.create_rest_api(name="front")["id"]
        root = self.gateway.get_resources(restApiId=api)["items"][0]["id"]
        self.gateway.put_method(restApiId=api, resourceId=root, httpMethod="POST", authorizationType="NONE")
        self.gateway.put_integration(restApiId=api, resourceId=root, httpMethod="POST", type="MOCK")
        self.gateway.create_deployment(restApiId=api, stageName="live")
        wanted = {"rateLimit": "100", "burstLimit": "200"}
        operations = [
            {"op": "replace", "path": f"/{ALL}/throttling/{name}", "value": value} for name, value in wanted.items()
        ]
        self.gateway.update_stage(restApiId=api, stageName="live", patchOperations=operations)
        return api

    def _define_table(self) -> str:
        name = f"records-{uuid.uuid4().hex[:8]}"
        keys = {"endpoint": "HASH", "at": "RANGE"}
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def _put(self, content: dict[str, Any]) -> str:
        name = f"document-{uuid.uuid4().hex[:8]}"
        self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
        return name

    def start(self) -> str:
        given = {"AutomationAssumeRole": [self.role]}
        started = self.ssm.start_automation_execution(DocumentName=self.document, Parameters=given)
        return str(started["AutomationExecutionId"])

    def look(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ssm.get_automation_execution(AutomationExecutionId=execution)
        return found["AutomationExecution"]  # type: ignore[no-any-return]

    def until_step(self, execution: str, name: str) -> None:
        def reached() -> bool:
            now = self.look(execution)
            assert now["AutomationExecutionStatus"] not in ("Failed", "Success"), now.get("FailureMessage")
            return name in [one["StepName"] for one in now["StepExecutions"]]

        eventually(reached)

    def until_ended(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = eventually(lambda: (now := self.look(execution)).get("ExecutionEndTime") and now)
        return found

    def settings(self) -> dict[str, tuple[float, float]]:
        found = self.gateway.get_stage(restApiId=self.api, stageName="live")["methodSettings"]
        return {name: (one["throttlingRateLimit"], one["throttlingBurstLimit"]) for name, one in found.items()}

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dynamodb.scan(TableName=self.table)["Items"]
        return found


@pytest.fixture(scope="module")
def drill(account: Account) -> Drill:
    return Drill(account)


def test_a_drill_that_is_stopped_in_its_middle_mends_what_it_broke_and_lets_the_releases_go(drill: Drill) -> None:
    execution = drill.start()
    drill.until_step(execution, "Wait")
    assert drill.settings() == {ALL: (100, 200), METHOD: (0, 0)}
    (row,) = drill.rows()
    assert (row["action"], row["owner"]) == ({"S": "drill"}, {"S": execution})

    drill.ssm.stop_automation_execution(AutomationExecutionId=execution)

    assert drill.until_ended(execution)["AutomationExecutionStatus"] == "Cancelled"
    eventually(lambda: drill.rows() == [])
    assert drill.settings() == {ALL: (100, 200)}


def test_a_drill_breaks_nothing_while_a_release_has_the_endpoint(drill: Drill, client: Callable[[str], Any]) -> None:
    row = {"endpoint": "lock#churn", "at": "lock", "owner": "release-1", "action": "release"}
    client("dynamodb").put_item(TableName=drill.table, Item={name: {"S": value} for name, value in row.items()})

    ended = drill.until_ended(drill.start())

    assert "got the release of release-1" in ended["FailureMessage"]
    assert [one["StepName"] for one in ended["StepExecutions"]] == ["Hold"]
    assert drill.settings() == {ALL: (100, 200)}


def test_an_experiments_template_is_deployed_with_its_alarms_and_goes_with_its_stack(
    client: Callable[[str], Any],
) -> None:
    alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:alone"
    reports = {"ExperimentReportS3Configuration": {"BucketName": "reports", "Prefix": "chaos/stopped"}}
    properties = {
        "Description": "It stops",
        "RoleArn": "arn:aws:iam::123456789012:role/fis",
        "Actions": {"Break": {"ActionId": "aws:ssm:start-automation-execution", "Parameters": {"documentArn": "a"}}},
        "Targets": {},
        "StopConditions": [{"Source": "aws:cloudwatch:alarm", "Value": alarm}],
        "Tags": {"Name": "stopped"},
        "ExperimentReportConfiguration": {"Outputs": reports},
    }
    template = {"Resources": {"Template": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": properties}}}
    outputs = {"Id": {"Value": {"Fn::GetAtt": ["Template", "Id"]}}}
    stacks, name = client("cloudformation"), f"chaos-{uuid.uuid4().hex[:8]}"

    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template | {"Outputs": outputs}))

    (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
    found = client("fis").get_experiment_template(id=stack["Outputs"][0]["OutputValue"])["experimentTemplate"]
    assert found["stopConditions"] == [{"source": "aws:cloudwatch:alarm", "value": alarm}]
    assert (found["actions"]["Break"]["actionId"], found["tags"]["Name"]) == (
        "aws:ssm:start-automation-execution",
        "stopped",
    )
    stacks.delete_stack(StackName=name)
    assert client("fis").list_experiment_templates()["experimentTemplates"] == []
