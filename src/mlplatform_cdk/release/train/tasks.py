"""The task states of a train, and what a branch for one station gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import LAMBDA_FAULTS, State, task_state

# A function that ran out of time while it copied goes on where it was: what has arrived is left alone.
_COPY_FAULTS = (*LAMBDA_FAULTS, "Sandbox.Timedout")
STEP_S, COPY_S = 120, 900


@dataclass(frozen=True, slots=True)
class Tasks:
    """Makes the task states of one train.

    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    :param function_arn: the function of the steps.
    :param train_name: the train.
    """

    partition: str
    function_arn: str
    train_name: str

    def step(
        self, name: str, step: str, payload: Mapping[str, Any], *, answers: Sequence[str], into: str, failed: str
    ) -> State:
        """Run ``step`` of the function and keep the fields ``answers`` of what it says under ``into``."""
        told = {"step": step, "train_name": self.train_name, "execution_arn.$": "$$.Execution.Id", **payload}
        copies = step == "promote"
        task = task_state(
            name,
            f"arn:{self.partition}:states:::lambda:invoke",
            {"FunctionName": self.function_arn, "Payload": told},
            faults=_COPY_FAULTS if copies else LAMBDA_FAULTS,
            timeout_s=(COPY_S if copies else STEP_S) + 30,
            failed=failed,
        )
        return task | {"ResultSelector": {f"{one}.$": f"$.Payload.{one}" for one in answers}, "ResultPath": into}


def result(*, into: str | None = None, **fields: Any) -> State:
    """A pass state that ends a branch with these fields; a path is a text that begins with ``$``."""
    parameters = {
        (f"{name}.$" if isinstance(value, str) and value.startswith("$") else name): value
        for name, value in fields.items()
    }
    state: State = {"Type": "Pass", "Parameters": parameters}
    return state | ({"ResultPath": into} if into else {"End": True})
