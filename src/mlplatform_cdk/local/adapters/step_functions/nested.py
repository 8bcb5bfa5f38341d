"""Machines that start machines: moto passes AWS's ``StateMachineArn`` to boto, which wants ``stateMachineArn``."""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeTimedOut

from mlplatform_cdk.local.adapters.step_functions import clients, managed_rules
from mlplatform_cdk.local.adapters.step_functions.values import milliseconds, plain

LOG = logging.getLogger(__name__)

_normalise = StateTaskServiceSfn._normalise_parameters
_evaluate = StateTaskServiceSfn._eval_service_task
_wait = StateTaskServiceSfn._eval_sync


def install() -> None:
    """Translate the names both ways."""
    StateTaskServiceSfn._normalise_parameters = _to_boto
    StateTaskServiceSfn._normalise_response = _from_boto
    StateTaskServiceSfn._eval_service_task = _evaluate_with_rules
    StateTaskServiceSfn._eval_sync = _wait_or_stop


def _to_boto(task: StateTaskServiceSfn, parameters: dict[str, Any], *names: Any, **more: Any) -> None:
    _normalise(task, parameters, *names, **more)
    for key in list(parameters):
        parameters[key[0].lower() + key[1:]] = parameters.pop(key)


def _from_boto(_task: StateTaskServiceSfn, response: Any, *_names: Any, **_more: Any) -> None:
    if isinstance(response, dict):
        for key in list(response):
            response[key[0].upper() + key[1:]] = plain(response.pop(key), milliseconds)


def _evaluate_with_rules(
    task: StateTaskServiceSfn,
    env: Any,
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    state_credentials: Any,
) -> None:
    if task.resource.condition in (ResourceCondition.Sync, ResourceCondition.Sync2):
        managed_rules.check(task, env, state_credentials.role_arn, resource_runtime_part.region)
    _evaluate(
        task,
        env=env,
        resource_runtime_part=resource_runtime_part,
        normalised_parameters=normalised_parameters,
        state_credentials=state_credentials,
    )
    execution = env.stack[-1]["executionArn"]
    client = clients.client_for(resource_runtime_part.region, "stepfunctions", state_credentials)
    task.stop_child = lambda: client.stop_execution(executionArn=execution)


def _wait_or_stop(task: StateTaskServiceSfn, **waiting: Any) -> Any:
    outcome = _wait(task, **waiting)
    if outcome is None or isinstance(
        outcome, CallbackOutcomeTimedOut
    ):  # the task was aborted or ran out of time: AWS then stops the execution that it started
        try:
            task.stop_child()
        except ClientError as refused:
            LOG.warning("the execution that %s started was not stopped: %s", task.name, refused)
    return outcome
