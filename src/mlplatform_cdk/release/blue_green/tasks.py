"""The task states of a release, by what they call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import LAMBDA_FAULTS, State, task_state
from mlplatform_cdk.release.blue_green.runtime.calling import CALLS
from mlplatform_cdk.release.blue_green.runtime.core import QUICK_S
from mlplatform_cdk.release.blue_green.runtime.errors import NameTaken, Throttled
from mlplatform_cdk.release.blue_green.runtime.lock import LockLost

FIND_WAY_BACK = "FindWayBack"
_QUICK_S, _FUNCTION_S = 60, 330  # half a minute more than the function itself has
# A refusal repeated is a refusal, and what cannot be told from one, such as SageMaker's own maintenance, ends.
_CALL_FAULTS = ("States.TaskFailed", "States.Timeout")
_FINAL = (LockLost.__name__, NameTaken.__name__)  # who has the turn, and a name, does not change while one waits


@dataclass(frozen=True, slots=True)
class Tasks:
    """Makes the task states of one release.

    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    :param function_arn: the function of the steps that need judgement.
    :param endpoint_name: what it releases to.
    """

    partition: str
    function_arn: str
    endpoint_name: str

    def step(self, name: str, step: str, payload: Mapping[str, Any], *, answers: Sequence[str], into: str) -> State:
        """Run ``step`` of the function and keep the fields ``answers`` of what it says under ``into``."""
        faults = (*LAMBDA_FAULTS, Throttled.__name__)
        task = self._step(name, {"step": step, **payload}, faults=faults, timeout_s=_FUNCTION_S)
        if not answers:
            return task | {"ResultPath": None}
        return task | {"ResultSelector": {f"{one}.$": f"$.Payload.{one}" for one in answers}, "ResultPath": into}

    def call(self, name: str, action: str, parameters: Mapping[str, Any]) -> State:
        """Make one call, such as ``sagemaker:createModel``; what it answers is dropped.

        What changes something is called by the function: only by who has the turn, and again without harm.
        """
        if action in CALLS:
            told = {"step": "call", "call": action, "parameters": dict(parameters)}
            task = self._step(name, told, faults=_CALL_FAULTS, timeout_s=_QUICK_S)
            task["Retry"] = [{"ErrorEquals": [*_FINAL], "MaxAttempts": 0}, *task["Retry"]]
        else:
            task = self._task(name, action, parameters, faults=_CALL_FAULTS, timeout_s=_QUICK_S)
        return task | {"ResultPath": None}

    def change(self, name: str, action: str, parameters: Mapping[str, Any]) -> State:
        """Make a call that begins a change of the endpoint; the looks at what comes of it are counted from here."""
        first = {"looks": 0, "every_s": QUICK_S}
        return self.call(name, action, parameters) | {"ResultSelector": first, "ResultPath": "$.watch"}

    def function(self, name: str, function_arn: str, payload: Mapping[str, Any]) -> State:
        """Run another function; what it answers is dropped."""
        parameters = {"FunctionName": function_arn, "Payload": dict(payload)}
        task = self._task(name, "lambda:invoke", parameters, faults=LAMBDA_FAULTS, timeout_s=_FUNCTION_S)
        return task | {"ResultPath": None}

    def _step(self, name: str, payload: Mapping[str, Any], *, faults: Sequence[str], timeout_s: int) -> State:
        told = {
            "execution_arn.$": "$$.Execution.Id",
            "endpoint_name": self.endpoint_name,
            "request.$": "$.request",
            **payload,
        }
        parameters = {"FunctionName": self.function_arn, "Payload": told}
        return self._task(name, "lambda:invoke", parameters, faults=faults, timeout_s=timeout_s)

    def _task(
        self, name: str, action: str, parameters: Mapping[str, Any], *, faults: Sequence[str], timeout_s: int
    ) -> State:
        # The name of the step is the key of what was caught, so that the way back knows who failed.
        resource = f"arn:{self.partition}:states:::{action}"
        return task_state(name, resource, parameters, faults=faults, timeout_s=timeout_s, failed=FIND_WAY_BACK)


def choice(*rules: tuple[str, object, str], default: str) -> State:
    """A choice: the first rule (path, value, next state) whose path has that value, else ``default``."""
    return {
        "Type": "Choice",
        "Choices": [
            {"Variable": path, "BooleanEquals" if isinstance(value, bool) else "StringEquals": value, "Next": then}
            for path, value, then in rules
        ],
        "Default": default,
    }
