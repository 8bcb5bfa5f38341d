"""Drills on a deployed front: a game day's document, its experiment, and the experiment's own document by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from mlplatform_cdk.foundation import ArtifactStore
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience import ChaosExperiments, EndpointStopped, GameDay
from mlplatform_cdk.resilience.automation import Automation
from tests.local.sagemaker.conftest import wait_for
from tests.routing.regional_api.building import Built

ALARM = cloudwatch.AlarmState.ALARM
RUNNING = ("Pending", "InProgress", "Waiting")
OUT, ALONE = "out-of-service", "alone"


def beside(built: Built) -> None:
    """A day with the experiment that stops the front's endpoint, and the table of its releases."""
    stack, gone = built.stack, RemovalPolicy.DESTROY
    out, other = _alarm(stack, OUT), _alarm(stack, "other")
    rule = cloudwatch.AlarmRule.all_of(*(cloudwatch.AlarmRule.from_alarm(one, ALARM) for one in (out, other)))
    alone = cloudwatch.CompositeAlarm(stack, "Alone", composite_alarm_name=ALONE, alarm_rule=rule)
    records = ReleaseRecords(stack, "Records", key=built.key, removal_policy=gone)
    reports = ArtifactStore(stack, "Reports", key=built.key, removal_policy=gone)
    chaos = ChaosExperiments(
        stack,
        "Chaos",
        faults={"stopped": EndpointStopped(api=built.api, records=records, rings=[out])},
        stop_on=[alone],
        reports=reports,
    )
    day = GameDay(stack, "Autumn", experiments=chaos, plan=built.plan, reports=reports, led_by="Ada")
    # Ten minutes of the fault and 35 of rest, in seconds.
    breaks = chaos.node.find_child("stopped").node.find_child("Break")
    assert isinstance(breaks, Automation)
    breaks.document.add_property_override("Content.mainSteps.3.inputs.Duration", "PT10S")
    day.automation.document.add_property_override("Content.mainSteps.3.inputs.Duration", "PT1S")


def _alarm(stack: Stack, name: str) -> cloudwatch.Alarm:
    """As the probe's, which holds its state here until somebody sets it."""
    metric = cloudwatch.Metric(namespace="N", metric_name=name, period=Duration.minutes(1))
    ignored = cloudwatch.TreatMissingData.IGNORE
    return cloudwatch.Alarm(
        stack, name, alarm_name=name, metric=metric, threshold=1, evaluation_periods=1, treat_missing_data=ignored
    )


class Drill:
    """The game day, and the experiment's action, as AWS FIS reads it in the template."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._ssm, self._dynamodb, self._cloudwatch = client("ssm"), client("dynamodb"), client("cloudwatch")
        self._s3 = client("s3")
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

    def start_day(self) -> str:
        """The game day."""
        names = [one["Name"] for one in self._ssm.list_documents()["DocumentIdentifiers"]]
        (name,) = [one for one in names if "Autumn" in one]
        return str(self._ssm.start_automation_execution(DocumentName=name)["AutomationExecutionId"])

    def ring(self, value: str) -> None:
        """Let the alarm change, as the probe's would."""
        for name in (OUT, "other") if value == "OK" else (OUT,):
            self._cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="the probe says so")

    def page(self, day: str, name: str) -> str:
        """What a day has left of an experiment."""
        body = self._s3.get_object(Bucket=self._reports(), Key=f"game-days/Autumn/{day}/{name}.md")["Body"]
        return str(body.read().decode())

    def mended_by(self, execution: str) -> list[str]:
        """How the documents ended that were to mend what ``execution`` broke."""
        found = self._ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
        every = [self.look(one["AutomationExecutionId"]) for one in found]
        return [one["AutomationExecutionStatus"] for one in every if one["Parameters"].get("Drill") == [execution]]

    def clear(self) -> None:
        """Empty the bucket of the reports, which nothing of ours does."""
        bucket = self._reports()
        for one in self._s3.list_object_versions(Bucket=bucket).get("Versions", ()):
            self._s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])

    def _reports(self) -> str:
        (bucket,) = [one["Name"] for one in self._s3.list_buckets()["Buckets"] if "reports" in one["Name"]]
        return str(bucket)

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
