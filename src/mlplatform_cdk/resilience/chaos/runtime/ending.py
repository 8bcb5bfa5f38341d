"""Answers CloudFormation: experiments of a stack or of a template that goes are stopped, and have been mended."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs, stack_answer
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("drills")
_RESERVE_S, _PAUSE_S = 30.0, 2.0
_OVER = ("completed", "stopped", "failed", "cancelled")  # of AWS FIS
_STOPPABLE = ("Pending", "InProgress", "Waiting")
_GOES_ON = (*_STOPPABLE, "Cancelling")
Drill = Mapping[str, str]
SecondsLeft = Callable[[], float]


class NotEnded(KnownError):
    """A drill runs still, and the time is over."""


class NotMended(KnownError):
    """What the last drill broke is not mended."""


def handle(event: Mapping[str, Any], context: Any) -> None:
    """End what ``event`` lets go, and say how that went, whatever happened."""
    ours = f"drills-ended/{event['LogicalResourceId']}"
    physical_id = event.get("PhysicalResourceId", ours)
    until = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_S

    def work() -> None:
        # A creation that failed before this function answered is rolled back under an id that is not ours.
        if physical_id == ours:
            end(_going(event), lambda: until - time.monotonic())

    stack_answer.carry_out(event, physical_id, work, log=_LOG, what="ending the drills")


def _going(event: Mapping[str, Any]) -> list[Drill]:
    """The drills that lose what mends them: all of a deletion, those that an update drops or changes."""
    drills: list[Drill] = event["ResourceProperties"]["Drills"]
    if event["RequestType"] == "Delete":
        return drills
    return [one for one in event.get("OldResourceProperties", {}).get("Drills", []) if one not in drills]


def end(drills: Sequence[Drill], seconds_left: SecondsLeft) -> None:
    """Stop the drills that run, and wait until they have ended.

    :raises NotEnded: when one runs still after the time.
    :raises NotMended: when what the last drill broke is not mended.
    """
    stopped: set[str] = set()
    while running := _stop_experiments(drills, stopped) or _stop_documents(drills, stopped):
        if seconds_left() < _PAUSE_S:
            raise NotEnded(f"the time was over before the end of {', '.join(running)}; try again")
        time.sleep(_PAUSE_S)
    for one in drills:
        if "Breaks" in one:
            _must_be_mended(one)


def _stop_experiments(drills: Sequence[Drill], stopped: set[str]) -> list[str]:
    """Those that run, each of which is stopped once: AWS FIS mends then, or cancels the document that breaks."""
    fis, templates = aws.client("fis"), {one["Template"] for one in drills}
    pages = fis.get_paginator("list_experiments").paginate()
    found = [one for page in pages for one in page["experiments"] if one["experimentTemplateId"] in templates]
    running = [one["id"] for one in found if one["state"]["status"] not in _OVER]
    for one in {*running} - stopped:
        # One that has ended since the look is no longer to be stopped.
        with suppress(fis.exceptions.ValidationException, fis.exceptions.ResourceNotFoundException):
            fis.stop_experiment(id=one)
    stopped.update(running)
    return running


def _stop_documents(drills: Sequence[Drill], stopped: set[str]) -> list[str]:
    """Executions that run; one that breaks is cancelled once, since a second time would cut its mending off."""
    ssm, running = aws.client("ssm"), list[str]()
    documents = [(kind, one[kind]) for one in drills for kind in ("Breaks", "Mends") if kind in one]
    for kind, name in documents:
        for one in _executions(name):
            execution, status = one["AutomationExecutionId"], one["AutomationExecutionStatus"]
            if status not in _GOES_ON:
                continue
            if kind == "Breaks" and status in _STOPPABLE and execution not in stopped:
                with suppress(ssm.exceptions.InvalidAutomationStatusUpdateException):
                    ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
                stopped.add(execution)
            running.append(execution)
    return running


def _must_be_mended(drill: Drill) -> None:
    """The last one that has broken anything must have been mended, whenever that was."""
    for execution in _executions(drill["Breaks"]):
        broke = execution["AutomationExecutionId"]
        if not _has_broken(broke):
            continue
        if any(_has_mended(one, broke) for one in _executions(drill["Mends"])):
            return
        raise NotMended(
            f"what the execution {broke} of {drill['Breaks']} has broken is not mended: start {drill['Mends']} with "
            f"what its step Look says and Drill={broke}; then try again"
        )


def _has_broken(execution: str) -> bool:
    steps = _execution(execution)["StepExecutions"]
    return any(one["StepName"] == "Break" and "ExecutionStartTime" in one for one in steps)


def _has_mended(execution: Mapping[str, Any], drill: str) -> bool:
    if execution["AutomationExecutionStatus"] != "Success":
        return False
    return bool(_execution(execution["AutomationExecutionId"])["Parameters"].get("Drill") == [drill])


def _execution(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = aws.client("ssm").get_automation_execution(AutomationExecutionId=name)
    return found["AutomationExecution"]  # type: ignore[no-any-return]


def _executions(document: str) -> list[Mapping[str, Any]]:
    """Those of a document, the newest first."""
    pages = aws.client("ssm").get_paginator("describe_automation_executions")
    wanted = [{"Key": "DocumentNamePrefix", "Values": [document]}]
    found = [
        one
        for page in pages.paginate(Filters=wanted)
        for one in page["AutomationExecutionMetadataList"]
        if one["DocumentName"] == document
    ]
    return sorted(found, key=lambda one: one["ExecutionStartTime"], reverse=True)
