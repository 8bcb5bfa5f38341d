"""The operations of executions: start, look, stop, and answer.

Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import yaml
from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.exceptions import AccessDeniedException, SSMException

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.automation.execution import RUNNING, Execution, StepRun
from mlplatform_cdk.local.adapters.automation.scripts import SERVICE
from mlplatform_cdk.local.adapters.automation.values import Wrong, filled, given
from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.iam.statements import Need

if TYPE_CHECKING:
    from moto.ssm.models import SimpleSystemManagerBackend
    from moto.ssm.responses import SimpleSystemManagerResponse as Response

_AUTOMATION = "Automation"
_KEPT: WeakKeyDictionary[SimpleSystemManagerBackend, dict[str, Execution]] = WeakKeyDictionary()


class AutomationDefinitionNotFound(SSMException):
    """There is no such document."""

    def __init__(self, message: str) -> None:
        super().__init__("AutomationDefinitionNotFoundException", message)


class AutomationExecutionNotFound(SSMException):
    """There is no such execution."""

    def __init__(self, message: str) -> None:
        super().__init__("AutomationExecutionNotFoundException", message)


class InvalidParameters(SSMException):
    """The document does not allow what was given."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidAutomationExecutionParametersException", message)


class InvalidSignal(SSMException):
    """Nobody has asked, or somebody else."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidAutomationSignalException", message)


def start_automation_execution(response: Response) -> ActionResult:
    """Start a document, as its own role or as whoever starts it."""
    name = str(response._get_param("DocumentName"))
    document = _document(response, name, response._get_param("DocumentVersion"))
    content = document.content
    content = content if isinstance(content, dict) else yaml.safe_load(content)
    session = roles.session_of(response.get_access_key())
    place = (response.current_account, response.region)
    try:
        values = given(content, response._get_param("Parameters") or {})
        role = str(filled(content.get("assumeRole") or "", lambda one: values[one]))
    except (Wrong, KeyError) as wrong:
        raise InvalidParameters(str(wrong)) from wrong
    if role:
        _must_pass(session, role, response.region)
    elif session is None:
        raise InvalidParameters("the document must name a role, or somebody with a role must start it")
    started = Execution(
        document=name.rsplit("/", 1)[-1],
        content=content,
        version=str(document.document_version),
        values=values,
        role=role or (session.role_arn if session else ""),
        by=session.arn if session else f"arn:aws:iam::{place[0]}:root",
        place=place,
    )
    _KEPT.setdefault(response.ssm_backend, {})[started.id] = started
    started.start()
    return ActionResult({"AutomationExecutionId": started.id})


def get_automation_execution(response: Response) -> ActionResult:
    """One execution with its steps."""
    found = _find(response)
    told = _summary(found) | {
        "Parameters": {name: one if isinstance(one, list) else [str(one)] for name, one in found.values.items()},
        "StepExecutions": [_step(one) for one in found.steps],
        "StepExecutionsTruncated": False,
    }
    return ActionResult({"AutomationExecution": told})


def describe_automation_executions(response: Response) -> ActionResult:
    """All executions, the newest first."""
    wanted: Mapping[str, Any] = {one["Key"]: one["Values"] for one in response._get_param("Filters") or []}
    kept = [*reversed(_KEPT.get(response.ssm_backend, {}).values())]
    fields = {"DocumentNamePrefix": "document", "ExecutionStatus": "status", "ExecutionId": "id"}
    for key, values in wanted.items():
        if key not in fields:
            raise InvalidParameters(f"the embedded AWS has no filter {key}; it has {', '.join(fields)}")
        kept = [one for one in kept if str(getattr(one, fields[key])).startswith(tuple(values))]
    return ActionResult({"AutomationExecutionMetadataList": [_summary(one) for one in kept]})


def describe_automation_step_executions(response: Response) -> ActionResult:
    """The steps of one execution."""
    return ActionResult({"StepExecutions": [_step(one) for one in _find(response).steps]})


def stop_automation_execution(response: Response) -> EmptyResult:
    """Stop one that runs."""
    found = _find(response)
    if found.status in RUNNING:
        found.stop()
    return EmptyResult()


def send_automation_signal(response: Response) -> EmptyResult:
    """Answer for one of those that are asked."""
    found, signal = _find(response), response._get_param("SignalType")
    if signal not in ("Approve", "Reject"):
        raise InvalidSignal(f"the signal must be Approve or Reject in the embedded AWS, got {signal}")
    if found.status != "Waiting":
        raise InvalidSignal(f"the execution must wait for an approval, and is {found.status}")
    session = roles.session_of(response.get_access_key())
    who = session.role_arn if session else "the administrator"
    if who not in found.approvers:
        raise InvalidSignal(f"it must be answered by one of {', '.join(found.approvers)}, got {who}")
    found.answer(signal)
    return EmptyResult()


OPERATIONS = (
    start_automation_execution,
    get_automation_execution,
    describe_automation_executions,
    describe_automation_step_executions,
    stop_automation_execution,
    send_automation_signal,
)


def _document(response: Response, name: str, version: str | None) -> Any:
    documents = response.ssm_backend._documents.get(name.rsplit("/", 1)[-1])
    if documents is None or documents.get_default_version().document_type != _AUTOMATION:
        raise AutomationDefinitionNotFound(f"there is no automation document {name} here")
    return documents.find(None if version in (None, "$DEFAULT") else version)


def _must_pass(session: roles.RoleSession | None, role: str, region: str) -> None:
    """Whoever starts a document hands its role to Systems Manager."""
    if session is None:
        return
    need = Need(action="iam:PassRole", resources=(role,), context={"iam:passedtoservice": [SERVICE]})
    denial = access.check(session, need, region, access.context_of(session, region))
    if denial is not None:
        raise AccessDeniedException(denial.message)


def _find(response: Response) -> Execution:
    wanted = str(response._get_param("AutomationExecutionId"))
    found = _KEPT.get(response.ssm_backend, {}).get(wanted)
    if found is None:
        raise AutomationExecutionNotFound(f"there is no execution {wanted} here")
    return found


def _summary(one: Execution) -> dict[str, Any]:
    told = {
        "AutomationExecutionId": one.id,
        "DocumentName": one.document,
        "DocumentVersion": one.version,
        "AutomationExecutionStatus": one.status,
        "ExecutionStartTime": one.started,
        "ExecutionEndTime": one.ended,
        "ExecutedBy": one.by,
        "Mode": "Auto",
        "Outputs": one.outputs,
        "FailureMessage": one.failure or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _step(one: StepRun) -> dict[str, Any]:
    told = {
        "StepName": one.name,
        "Action": one.action,
        "StepStatus": one.status,
        "StepExecutionId": one.id,
        "ExecutionStartTime": one.started,
        "ExecutionEndTime": one.ended,
        "Inputs": {name: json.dumps(value, default=str) for name, value in one.inputs.items() if name != "Script"},
        "Outputs": {name: [str(value)] for name, value in one.outputs.items()},
        "FailureMessage": one.failure or None,
    }
    return {name: value for name, value in told.items() if value is not None}
