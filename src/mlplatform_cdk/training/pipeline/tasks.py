"""The task states of a retraining pipeline, by what they call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import LAMBDA_FAULTS, State, task_state

EXPLAIN, NOTIFY = "Explain", "Notify"

# Throttling, and an account's limit of instances, before the job exists; a job that failed is never started again.
_SAGEMAKER_FAULTS = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.SdkClientException",
)
_ANY_FAULT = ("States.TaskFailed",)  # for calls that may be made twice


@dataclass(frozen=True, slots=True)
class Tasks:
    """Makes the task states of one partition of AWS.

    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    """

    partition: str

    def function(
        self, name: str, arn: str, *, payload: Mapping[str, Any], answers: Sequence[str], timeout_s: int, into: str
    ) -> State:
        """Call a function and keep the fields ``answers`` of what it returns under ``into``."""
        return self._task(
            name,
            "lambda:invoke",
            {"FunctionName": arn, "Payload": dict(payload)},
            faults=LAMBDA_FAULTS,
            timeout_s=timeout_s,
        ) | {
            "ResultSelector": {f"{answer}.$": f"$.Payload.{answer}" for answer in answers},
            "ResultPath": into,
        }

    def job(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, Any],
        *,
        keep: Mapping[str, str],
        timeout_s: int,
        into: str,
    ) -> State:
        """Run a SageMaker job, wait for it, and ``keep`` these fields of its description under ``into``."""
        return self._task(
            name, f"sagemaker:{action}.sync", parameters, faults=_SAGEMAKER_FAULTS, timeout_s=timeout_s
        ) | {"ResultSelector": dict(keep), "ResultPath": into}

    def call(self, name: str, action: str, parameters: Mapping[str, Any]) -> State:
        """Make one quick call, such as ``aws-sdk:s3:getObject``, that may be made twice."""
        return self._task(name, action, parameters, faults=_ANY_FAULT, timeout_s=60)

    def _task(
        self, name: str, action: str, parameters: Mapping[str, Any], *, faults: Sequence[str], timeout_s: int
    ) -> State:
        # The name of the step is the key of what was caught, so that Explain knows who failed.
        resource = f"arn:{self.partition}:states:::{action}"
        return task_state(name, resource, parameters, faults=faults, timeout_s=timeout_s, failed=EXPLAIN)
