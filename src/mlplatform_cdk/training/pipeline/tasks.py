"""Task states as Amazon States Language: each with a time limit, retries of the service's faults, and a way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

State = dict[str, Any]

EXPLAIN, NOTIFY = "Explain", "Notify"

# Errors that Step Functions passes on from Lambda when the service, not our code, failed:
# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
_LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
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
            faults=_LAMBDA_FAULTS,
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
        return {
            "Type": "Task",
            "Resource": f"arn:{self.partition}:states:::{action}",
            "Parameters": dict(parameters),
            "TimeoutSeconds": timeout_s,
            "Retry": [
                {
                    "ErrorEquals": list(faults),
                    "IntervalSeconds": 2,
                    "BackoffRate": 2,
                    "MaxAttempts": 4,
                    "MaxDelaySeconds": 60,
                    "JitterStrategy": "FULL",
                }
            ],
            # The name of the step becomes the key of what was caught, so that Explain knows who failed.
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": f"$.failure.{name}", "Next": EXPLAIN}],
        }


def caught_as(task: State, path: str, then: str) -> State:
    """``task`` with another way out: what it caught goes to ``path``, and on to ``then``."""
    return task | {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": then}]}
