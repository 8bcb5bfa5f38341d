"""The state in which a release waits for a person."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.core.states import LAMBDA_FAULTS, State, task_state


def gate_state(
    name: str, *, partition: str, function_arn: str, endpoint_name: str, facts: Mapping[str, Any], failed: str
) -> State:
    """A task that ends when somebody approves; a rejection, and silence, leave for ``failed``.

    What it gives is ``{"decision", "who", "reason"}``. A rejection is the error ``Release.Rejected`` with who and why
    as its cause, silence is ``States.Timeout``.

    :param name: the state's name, which becomes the key of what was caught: ``$.failure.<name>``.
    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    :param function_arn: the function of ``Gates``.
    :param endpoint_name: whose release waits.
    :param facts: ``version.$``, ``percent.$``, ``timeout_s.$`` and ``metrics.$``: where the state's input has them.
    :param failed: the state that leads back.
    """
    payload = {
        "endpoint": endpoint_name,
        "release.$": "$$.Execution.Id",
        "token.$": "$$.Task.Token",
        **facts,
    }
    state = task_state(
        name,
        f"arn:{partition}:states:::lambda:invoke.waitForTaskToken",
        {"FunctionName": function_arn, "Payload": payload},
        faults=LAMBDA_FAULTS,
        timeout_s=0,
        failed=failed,
    )
    del state["TimeoutSeconds"]
    return state | {"TimeoutSecondsPath": facts["timeout_s.$"]}
