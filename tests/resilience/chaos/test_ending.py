"""Is what a drill has broken mended before the stack that mends it goes, and does CloudFormation hear of it?"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from mlplatform_cdk.resilience.chaos.runtime import ending
from mlplatform_cdk.runtimekit import stack_answer

BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)
DRILL = {"Template": "EXT1", "Breaks": "break", "Mends": "mend"}
EVENT = {"LogicalResourceId": "Ended", "ResourceProperties": {"Drills": [DRILL]}}
OURS = {"PhysicalResourceId": "drills-ended/Ended"}
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


class Aws:
    """AWS FIS and Systems Manager: who stops an experiment stops its document, which starts the one that mends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, mends: str = "Success") -> None:
        self._mends = mends
        self.experiments: dict[str, str] = {}
        self.executions: list[dict[str, Any]] = []
        self.heard: list[str] = []
        self.stops: list[str] = []
        models = {name: boto3.client(name, region_name="eu-west-1").exceptions for name in ("fis", "ssm")}
        self.exceptions = SimpleNamespace(
            **{
                name: getattr(models[service], name)
                for service, name in [
                    ("fis", "ValidationException"),
                    ("fis", "ResourceNotFoundException"),
                    ("ssm", "InvalidAutomationStatusUpdateException"),
                ]
            }
        )
        monkeypatch.setattr(ending, "aws", SimpleNamespace(client=lambda _name: self))
        monkeypatch.setattr("time.sleep", lambda _seconds: self._go_on())
        monkeypatch.setattr(stack_answer, "send", lambda _event, answer: self.heard.append(answer.reason))

    def run(self, document: str, status: str, *, reached: str = "Wait", drill: str = "") -> str:
        name = f"{document}-{len(self.executions)}"
        order = ["Hold", "Look", "Break", "Wait", "Mend"]
        steps: list[dict[str, Any]] = [{"StepName": one, "ExecutionStartTime": BEGAN} for one in order]
        for one in steps[order.index(reached) + 1 :]:
            del one["ExecutionStartTime"]
        self.executions.append(
            {
                "AutomationExecutionId": name,
                "DocumentName": document,
                "AutomationExecutionStatus": status,
                "ExecutionStartTime": BEGAN + timedelta(minutes=len(self.executions)),
                "Parameters": {"Drill": [drill]} if drill else {},
                "StepExecutions": steps,
            }
        )
        return name

    def _go_on(self) -> None:
        for one_id, status in self.experiments.items():
            self.experiments[one_id] = {"stopping": "stopped"}.get(status, status)
        for one in [*self.executions]:
            if one["AutomationExecutionStatus"] == "Cancelling":
                one["AutomationExecutionStatus"] = "Cancelled"
                self.run("mend", "InProgress", drill=one["AutomationExecutionId"])
            elif one["DocumentName"] == "mend" and one["AutomationExecutionStatus"] == "InProgress":
                one["AutomationExecutionStatus"] = self._mends

    def get_paginator(self, operation: str) -> Any:
        experiments = [
            {"id": name, "experimentTemplateId": "EXT1", "state": {"status": status}}
            for name, status in self.experiments.items()
        ]
        page = {"experiments": experiments, "AutomationExecutionMetadataList": [*self.executions]}
        assert operation in ("list_experiments", "describe_automation_executions")
        return SimpleNamespace(paginate=lambda **_asked: [page])

    def stop_experiment(self, *, id: str) -> None:
        self.stops.append(id)
        self.experiments[id] = "stopping"
        self._cancel()

    def stop_automation_execution(self, *, AutomationExecutionId: str, Type: str) -> None:  # noqa: N803
        assert Type == "Cancel"
        self.stops.append(AutomationExecutionId)
        self._cancel()

    def _cancel(self) -> None:
        for one in self.executions:
            if one["DocumentName"] == "break" and one["AutomationExecutionStatus"] == "InProgress":
                one["AutomationExecutionStatus"] = "Cancelling"

    def get_automation_execution(self, *, AutomationExecutionId: str) -> dict[str, Any]:  # noqa: N803
        (found,) = [one for one in self.executions if one["AutomationExecutionId"] == AutomationExecutionId]
        return {"AutomationExecution": found}

    def statuses(self) -> dict[str, str]:
        return {one["AutomationExecutionId"]: one["AutomationExecutionStatus"] for one in self.executions}


def delete(**event: Any) -> None:
    ending.handle(EVENT | OURS | {"RequestType": "Delete"} | event, CONTEXT)


def test_a_stack_that_goes_during_a_drill_stops_it_once_and_goes_when_it_is_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = Aws(monkeypatch)
    aws.experiments["EXP1"] = "running"
    aws.run("break", "InProgress")

    delete()

    assert (aws.heard, aws.stops) == ([""], ["EXP1"])
    assert aws.statuses() == {"break-0": "Cancelled", "mend-1": "Success"}


def test_a_document_that_was_started_by_hand_is_stopped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(monkeypatch)
    aws.run("break", "InProgress")

    delete()

    assert (aws.heard, aws.stops) == ([""], ["break-0"])
    assert aws.statuses()["mend-1"] == "Success"


def test_a_stack_stays_while_its_last_drill_is_not_mended_and_goes_once_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(monkeypatch, mends="Failed")
    aws.run("break", "InProgress")
    delete()
    delete()
    aws.run("mend", "Success", drill="break-0")
    aws.run("break", "Failed", reached="Hold")  # which a release refused
    delete()

    first, again, last = aws.heard
    assert first.startswith("what the execution break-0 of break has broken is not mended: start mend with what its")
    assert (first == again, last) == (True, "")


def test_an_update_ends_the_drills_that_it_drops_or_changes_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(monkeypatch)
    aws.run("break", "InProgress")
    former = {"Drills": [DRILL, {"Template": "EXT2"}]}
    ending.handle(EVENT | OURS | {"RequestType": "Update", "OldResourceProperties": former}, CONTEXT)
    assert aws.stops == []

    changed = {"Drills": [{**DRILL, "Mends": "mend-of-before"}]}
    ending.handle(EVENT | OURS | {"RequestType": "Update", "OldResourceProperties": changed}, CONTEXT)

    assert aws.stops == ["break-0"]


def test_what_does_not_end_in_time_or_cannot_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(monkeypatch)
    aws.run("mend", "Waiting", drill="break-9")
    late = SimpleNamespace(get_remaining_time_in_millis=lambda: 31_000)
    ending.handle(EVENT | OURS | {"RequestType": "Delete"}, late)
    delete(ResourceProperties={})

    assert aws.heard[0] == "the time was over before the end of mend-0; try again"
    assert aws.heard[1].startswith("ending the drills failed: ")


def test_a_creation_has_nothing_to_end_nor_has_one_that_failed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(monkeypatch)
    aws.run("break", "InProgress")

    ending.handle(EVENT | {"RequestType": "Create"}, CONTEXT)
    delete(PhysicalResourceId="another")

    assert (aws.heard, aws.stops) == (["", ""], [])
