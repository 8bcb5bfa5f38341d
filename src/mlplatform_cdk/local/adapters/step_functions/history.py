"""What moto's answers leave out: history in reverse and in pages, the end of every execution, a failure's cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

PAGE = 1000

_describe = StepFunctionResponse.describe_execution


def install() -> None:
    """Replace moto's answers."""
    StepFunctionResponse.describe_execution = _describe_with_end
    StepFunctionResponse.get_execution_history = _history
    StepFunctionResponse.send_task_failure = _send_task_failure
    StepFunctionResponse.stop_execution = _stop


def _describe_with_end(response: StepFunctionResponse) -> ActionResult:
    answer = _describe(response)
    execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
    if execution.stop_date is not None:
        answer.result["stopDate"] = execution.stop_date
    if execution.status == "SUCCEEDED":
        answer.result["output"] = json.dumps(execution.output, separators=(",", ":"))
    return answer


def _history(response: StepFunctionResponse) -> ActionResult:
    arn = response._get_param("executionArn")
    events: list[Any] = list(response.stepfunction_backend.get_execution_history(arn)["events"])
    if response._get_bool_param("reverseOrder"):
        events.reverse()
    start = int(response._get_param("nextToken") or 0)
    end = start + (response._get_int_param("maxResults") or PAGE)
    following = {"nextToken": str(end)} if end < len(events) else {}
    return ActionResult({"events": events[start:end], **following})


def _send_task_failure(response: StepFunctionResponse) -> ActionResult:
    response.stepfunction_backend.send_task_failure(
        response._get_param("taskToken"), error=response._get_param("error"), cause=response._get_param("cause")
    )
    return EmptyResult()


def _stop(response: StepFunctionResponse) -> ActionResult:
    execution = response.stepfunction_backend.stop_execution(
        response._get_param("executionArn"), error=response._get_param("error"), cause=response._get_param("cause")
    )
    return ActionResult({"stopDate": execution.stop_date or datetime.now(tz=UTC)})
