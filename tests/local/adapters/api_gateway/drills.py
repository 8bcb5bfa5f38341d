"""A drill on a deployed front: its experiment's document, started as AWS FIS starts it, by the template's own role."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch

from mlplatform_cdk.foundation import ArtifactStore
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience import ChaosExperiments, EndpointStopped
from tests.local.sagemaker.conftest import wait_for
from tests.routing.regional_api.building import Built

RUNNING = ("Pending", "InProgress", "Waiting")


def beside(built: Built) -> ChaosExperiments:
    """The experiment that stops the front's endpoint, and the table of its releases."""
    stack, gone = built.stack, RemovalPolicy.DESTROY
    return ChaosExperiments(
        stack,
        "Chaos",
        faults={
            "stopped": EndpointStopped(
                api=built.api, records=ReleaseRecords(stack, "Records", key=built.key, removal_policy=gone)
            )
        },
        stop_on=[cloudwatch.Alarm.from_alarm_name(stack, "Alone", "alone")],
        reports=ArtifactStore(stack, "Reports", key=built.key, removal_policy=gone),
    )


class Drill:
    """The experiment's action, as AWS FIS reads it in the template."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._ssm, self._dynamodb = client("ssm"), client("dynamodb")
        (template,) = client("fis").list_experiment_templates()["experimentTemplates"]
        found = client("fis").get_experiment_template(id=template["id"])["experimentTemplate"]
        self._does = found["actions"]["Break"]["parameters"]
        (self._table,) = [name for name in self._dynamodb.list_tables()["TableNames"] if "Records" in name]

    def start(self) -> str:
        given = {name: [value] for name, value in json.loads(self._does["documentParameters"]).items()}
        started = self._ssm.start_automation_execution(DocumentName=self._does["documentArn"], Parameters=given)
        return str(started["AutomationExecutionId"])

    def look(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self._ssm.get_automation_execution(AutomationExecutionId=execution)
        return found["AutomationExecution"]  # type: ignore[no-any-return]

    def ended(self, execution: str) -> dict[str, Any]:
        wait_for(lambda: self.look(execution)["AutomationExecutionStatus"], lambda status: status not in RUNNING)
        return self.look(execution)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """While it waits; then it is stopped, as by an alarm, and mended."""
        execution = self.start()
        self.wait_for_step(execution, "Wait")
        yield
        self._ssm.stop_automation_execution(AutomationExecutionId=execution)
        assert self.ended(execution)["AutomationExecutionStatus"] == "Cancelled"
        wait_for(self.holders, [].__eq__)

    def wait_for_step(self, execution: str, name: str) -> None:
        def has_come(now: dict[str, Any]) -> bool:
            assert now["AutomationExecutionStatus"] in RUNNING, now.get("FailureMessage")
            return name in [one["StepName"] for one in now["StepExecutions"]]

        wait_for(lambda: self.look(execution), has_come)

    def holders(self) -> list[str]:
        """Who holds the endpoint's lock."""
        return [row["owner"]["S"] for row in self._dynamodb.scan(TableName=self._table)["Items"]]

    @contextmanager
    def release_running(self) -> Iterator[None]:
        """While a release holds the endpoint."""
        row = {"endpoint": "lock#churn", "at": "lock", "owner": "one", "action": "release"}
        self._dynamodb.put_item(TableName=self._table, Item={name: {"S": value} for name, value in row.items()})
        yield
        key = {name: {"S": row[name]} for name in ("endpoint", "at")}
        self._dynamodb.delete_item(TableName=self._table, Key=key)
