"""Does an experiment of AWS FIS run its document, and is it stopped by its alarms and by people?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.adapters.api_gateway.fronts import role_of
from tests.local.sagemaker.conftest import allow, wait_for

Client = Callable[[str], Any]
ENDED = ("completed", "stopped", "failed", "cancelled")
AUTOMATION = "aws:ssm:start-automation-execution"


def document(client: Client, seconds: int) -> dict[str, str]:
    """What an action says that starts a document which waits."""
    steps = [{"name": "Wait", "action": "aws:sleep", "inputs": {"Duration": f"PT{seconds}S"}}]
    role = role_of(client, "ssm.amazonaws.com", None)
    content = {"schemaVersion": "0.3", "assumeRole": role, "mainSteps": steps}
    name = uuid.uuid4().hex
    client("ssm").create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
    return {"documentArn": f"arn:aws:ssm:us-east-1:123456789012:document/{name}", "maxDuration": "PT5M"}


def start(client: Client, parameters: dict[str, str], alarm: str = "", action: str = AUTOMATION) -> str:
    may = allow("ssm:*", "iam:PassRole")
    stop = {"source": "aws:cloudwatch:alarm", "value": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm}"}
    template = client("fis").create_experiment_template(
        description="waits",
        stopConditions=[stop if alarm else {"source": "none"}],
        actions={"Break": {"actionId": action, "parameters": parameters}},
        roleArn=role_of(client, "fis.amazonaws.com", may),
    )["experimentTemplate"]
    return str(client("fis").start_experiment(experimentTemplateId=template["id"])["experiment"]["id"])


def state(client: Client, experiment: str) -> dict[str, str]:
    found: dict[str, str] = client("fis").get_experiment(id=experiment)["experiment"]["state"]
    return found


def end_of(client: Client, experiment: str) -> dict[str, str]:
    wait_for(lambda: state(client, experiment)["status"], ENDED.__contains__)
    return state(client, experiment)


@pytest.fixture
def alarm(client: Client) -> str:
    name = uuid.uuid4().hex
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="ignore",
    )
    return name


def ring(client: Client, alarm: str) -> None:
    client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="so")


def status_of_document(client: Client, parameters: dict[str, str]) -> list[str]:
    name = parameters["documentArn"].rpartition("/")[2]
    wanted = [{"Key": "DocumentNamePrefix", "Values": [name]}]
    found = client("ssm").describe_automation_executions(Filters=wanted)["AutomationExecutionMetadataList"]
    return [one["AutomationExecutionStatus"] for one in found]


def test_an_experiment_ends_with_its_document(client: Client, alarm: str) -> None:
    experiment = start(client, document(client, 0), alarm)

    assert end_of(client, experiment) == {"status": "completed", "reason": "Experiment completed"}


def test_an_alarm_stops_an_experiment_and_its_document_and_lets_none_begin(client: Client, alarm: str) -> None:
    parameters = document(client, 600)
    experiment = start(client, parameters, alarm)
    wait_for(lambda: state(client, experiment)["status"], "running".__eq__)

    ring(client, alarm)

    halted = {"status": "stopped", "reason": "Experiment halted by stop condition."}
    assert end_of(client, experiment) == halted
    assert status_of_document(client, parameters) == ["Cancelled"]
    assert end_of(client, start(client, parameters, alarm)) == halted
    assert status_of_document(client, parameters) == ["Cancelled"]


def test_whoever_stops_an_experiment_stops_its_document(client: Client) -> None:
    parameters = document(client, 600)
    experiment = start(client, parameters)
    wait_for(lambda: status_of_document(client, parameters), bool)

    client("fis").stop_experiment(id=experiment)

    assert end_of(client, experiment)["status"] == "stopped"
    assert status_of_document(client, parameters) == ["Cancelled"]


def test_what_the_embedded_aws_cannot_break_fails_and_says_so(client: Client) -> None:
    experiment = start(client, {"duration": "PT5M"}, action="aws:network:disrupt-connectivity")

    told = end_of(client, experiment)

    assert told["status"] == "failed"
    assert told["reason"].startswith("the embedded AWS has no action aws:network:disrupt-connectivity")
