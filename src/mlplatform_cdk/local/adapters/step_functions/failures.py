"""A failed task, as the interpreter wants to hear of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )
    from moto.stepfunctions.parser.asl.eval.environment import Environment

LOG = logging.getLogger(__name__)

_from_error = ExecutionState._from_error


def install() -> None:
    """Log what breaks the interpreter inside a task, which ends as a bare ``States.Runtime``."""
    ExecutionState._from_error = _from_error_with_log


def _from_error_with_log(state: ExecutionState, env: Environment, ex: Exception) -> FailureEvent:
    if not isinstance(ex, FailureEventException):
        LOG.warning("the state %s broke the interpreter", state.name, exc_info=ex)
    return _from_error(state, env, ex)


def task_failed(task: StateTaskService, env: Environment, error: str, cause: str) -> FailureEventException:
    """The exception that fails ``task`` with ``error`` and ``cause``.

    :param task: the task that fails.
    :param env: where it runs.
    :param error: the error's name, such as ``States.TaskFailed``.
    :param cause: why.
    """
    known = {kind.to_name(): kind for kind in StatesErrorNameType}
    name = StatesErrorName(known[error]) if error in known else CustomErrorName(error)
    return FailureEventException(event(task, env, name, cause))


def event(task: StateTaskService, env: Environment, name: ErrorName, cause: str) -> FailureEvent:
    """The event of the failure, for the history.

    :param task: the task that fails.
    :param env: where it runs.
    :param name: the error's name.
    :param cause: why.
    """
    details = TaskFailedEventDetails(
        error=name.error_name,
        cause=cause,
        resource=task._get_sfn_resource(),
        resourceType=task._get_sfn_resource_type(),
    )
    return FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=details),
    )
