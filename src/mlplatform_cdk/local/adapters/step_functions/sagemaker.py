"""The optimized SageMaker integration: ``.sync`` waits for the job, ends with its description or fails with it.

moto forwards the call and refuses ``.sync``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeTimedOut

from mlplatform_cdk.local.adapters.step_functions import clients, failures, managed_rules
from mlplatform_cdk.local.adapters.step_functions.values import milliseconds, plain

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )
    from moto.stepfunctions.parser.asl.eval.environment import Environment

LOG = logging.getLogger(__name__)

# What AWS's integration waits for: action -> the noun that names its describe and stop calls, name and status.
JOBS = {
    "createHyperParameterTuningJob": "HyperParameterTuningJob",
    "createLabelingJob": "LabelingJob",
    "createProcessingJob": "ProcessingJob",
    "createTrainingJob": "TrainingJob",
    "createTransformJob": "TransformJob",
}
ENDED_WELL = frozenset({"Completed"})
ENDED = ENDED_WELL | {"Failed", "Stopped", "DeleteFailed"}
NAMED_ERRORS = ("ConflictException", "ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound")

_factory = state_task_service_factory.state_task_service_for


def install() -> None:
    """Let the interpreter make our task for ``sagemaker``."""
    for module in (state_task_service_factory, state_task_factory):
        module.state_task_service_for = _task_for


def _task_for(service_name: str) -> StateTaskService:
    return SageMakerTask() if service_name == "sagemaker" else _factory(service_name)


class SageMakerTask(StateTaskServiceCallback):
    """A call of SageMaker, and for ``.sync`` the wait for what it started."""

    def __init__(self) -> None:
        # Without waitForTaskToken the interpreter has no endpoint to interrupt, and breaks at the end of the wait.
        super().__init__(supported_integration_patterns={ResourceCondition.Sync, ResourceCondition.WaitForTaskToken})

    def _validate_service_integration_is_supported(self) -> None:
        if self.resource.condition not in (None, ResourceCondition.Sync):
            raise ValueError(f"The resource {self.resource.resource_arn} does not support {self.resource.condition}")
        if self.resource.condition == ResourceCondition.Sync and self.resource.api_action not in JOBS:
            raise ValueError(f"The resource provided {self.resource.resource_arn} is not recognized")

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        client = clients.client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        action = self._get_boto_service_action()
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[action])
        report = ParamValidator().validate(normalised_parameters, operation.input_shape)
        if report.has_errors():
            raise failures.task_failed(self, env, "States.Runtime", report.generate_report())
        if self.resource.condition == ResourceCondition.Sync:
            managed_rules.check(self, env, state_credentials.role_arn, resource_runtime_part.region)
        response = getattr(client, action)(**normalised_parameters)
        env.stack.append(plain(response, milliseconds))

    def _build_sync_resolver(
        self,
        env: Environment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> Callable[[], Any]:
        env.stack.pop()
        client = clients.client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        noun = JOBS[self.resource.api_action]
        job = {f"{noun}Name": normalised_parameters[f"{noun}Name"]}
        self._stop = lambda: _call(client, f"Stop{noun}", job)

        def resolve() -> dict[str, Any] | None:
            description: dict[str, Any] = plain(_call(client, f"Describe{noun}", job), milliseconds)
            status = description[f"{noun}Status"]
            if status not in ENDED:
                return None
            if status in ENDED_WELL:
                return description
            raise failures.task_failed(self, env, "States.TaskFailed", json.dumps(description))

        return resolve

    def _eval_sync(self, env: Environment, **waiting: Any) -> Any:
        outcome = super()._eval_sync(env=env, **waiting)
        if outcome is None or isinstance(
            outcome, CallbackOutcomeTimedOut
        ):  # the task was aborted or ran out of time: AWS then stops the job
            try:
                self._stop()
            except ClientError as refused:
                LOG.warning("the job of %s was not stopped: %s", self.name, refused)
        return outcome

    def _from_error(self, env: Environment, ex: Exception) -> FailureEvent:
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        error, http = ex.response["Error"], ex.response["ResponseMetadata"]
        code = error["Code"]
        name = f"{code.removesuffix('Exception')}Exception" if code in NAMED_ERRORS else "AmazonSageMakerException"
        cause = (
            f"{error['Message']} (Service: AmazonSageMaker; Status Code: {http['HTTPStatusCode']}; "
            f"Error Code: {code}; Request ID: {http.get('RequestId')}; Proxy: null)"
        )
        return failures.event(self, env, CustomErrorName(f"SageMaker.{name}"), cause)


def _call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
    return getattr(client, methods[operation])(**parameters)
