"""Task states as Amazon States Language: each with a time limit, retries of the service's faults, and a way out."""

from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]

# Errors that Step Functions passes on from Lambda when the service, not our code, failed:
# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)


def task_state(
    name: str,
    resource: str,
    parameters: Mapping[str, Any],
    *,
    faults: Sequence[str],
    timeout_s: int,
    failed: str,
) -> State:
    """A task that retries ``faults`` with backoff and jitter, and leaves for ``failed`` on any other error.

    :param name: the state's name, which becomes the key of what was caught: ``$.failure.<name>``.
    :param resource: the integration's ARN.
    :param parameters: of the call.
    :param faults: the errors after which the call may be made again.
    :param timeout_s: the most that one try may take, in seconds.
    :param failed: the state that deals with failures.
    """
    return {
        "Type": "Task",
        "Resource": resource,
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
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": f"$.failure.{name}", "Next": failed}],
    }


def caught_as(task: State, path: str, then: str) -> State:
    """``task`` with another way out: what it caught goes to ``path``, and on to ``then``."""
    return task | {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": then}]}
