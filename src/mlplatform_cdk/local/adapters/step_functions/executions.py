"""StartExecution as AWS has it: a name for those who give none, one execution per name, an end for those that break."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from mlplatform_cdk.local.adapters.step_functions import stops

LOG = logging.getLogger(__name__)

STARTING_SECONDS = 5.0
POLL_SECONDS = 0.02

_start = StepFunctionsParserBackend.start_execution
_run = ExecutionWorker._execution_logic
_end = BaseExecutionWorkerCommunication.terminated
_starting = threading.Lock()


def install() -> None:
    """Replace how the executing backend starts and ends an execution."""
    StepFunctionsParserBackend.start_execution = _start_named
    ExecutionWorker._execution_logic = _run_to_an_end
    StepFunctionsParserBackend.stop_execution = _stop_with_reason
    BaseExecutionWorkerCommunication.terminated = _end_and_tell
    logging.getLogger("moto.stepfunctions.parser").setLevel(
        logging.CRITICAL
    )  # it dumps whole programs; we name failures


def _start_named(
    backend: StepFunctionsParserBackend,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: str | None = None,
) -> Execution:
    name = name or str(uuid.uuid4())
    backend._validate_name(name)
    with _starting:
        return _start(backend, state_machine_arn, name, execution_input or "{}", trace_header)


def _run_to_an_end(worker: ExecutionWorker) -> None:
    """Run, and fail an execution whose definition breaks the interpreter rather than leave it running for ever."""
    execution: Execution = worker._execution_communication.execution
    _tell(execution)
    try:
        _run(worker)
    except Exception as broken:
        LOG.exception("the execution %s broke the interpreter", execution.exec_arn)
        execution.stop_date = datetime.now(tz=UTC)
        execution.error, execution.cause = "States.Runtime", f"{type(broken).__name__}: {broken}"
        execution.exec_status = ExecutionStatus.FAILED
        _tell(execution)


def _end_and_tell(communication: BaseExecutionWorkerCommunication) -> None:
    _end(communication)
    execution = communication.execution
    state = execution.exec_worker.env.program_state()
    if isinstance(state, ProgramStopped):
        execution.error, execution.cause = state.error, state.cause
    if execution.exec_status is not ExecutionStatus.SUCCEEDED:
        LOG.warning("%s: %s: %s: %s", execution.exec_arn, execution.status, execution.error, execution.cause)
    _tell(execution)


def _stop_with_reason(
    backend: StepFunctionsParserBackend, execution_arn: str, error: str | None = None, cause: str | None = None
) -> Execution:
    """Abort, with the reason that was given; moto drops it, and breaks on an execution that has just begun."""
    execution = backend.describe_execution(execution_arn)
    deadline = time.monotonic() + STARTING_SECONDS
    while execution.exec_worker.env is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    execution.stop(stop_date=datetime.now(tz=UTC), error=error, cause=cause)
    stops.interrupt(execution.exec_worker.env)
    return execution


def _tell(execution: Execution) -> None:
    """Put AWS's "Step Functions Execution Status Change" event on the default bus."""
    detail: dict[str, Any] = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "input": execution.execution_input,
        "output": None if execution.output is None else json.dumps(execution.output, default=str),
        "error": execution.error,
        "cause": execution.cause,
    }
    event = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [execution.exec_arn],
    }
    events_backends[execution.account_id][execution.region_name].put_events([event])


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
