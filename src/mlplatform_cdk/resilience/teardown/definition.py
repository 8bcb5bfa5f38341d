"""The machine of a teardown after its first round: more until nothing is left or the time is over, and an answer."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.core.states import LAMBDA_FAULTS, State, task_state

ROUND_S = 240
_ANSWER_S = 60


def definition(partition: str, function_arn: str) -> Mapping[str, Any]:
    """Amazon States Language.

    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    :param function_arn: takes away, and answers.
    """
    invoke = f"arn:{partition}:states:::lambda:invoke"
    look = _step(invoke, function_arn, {"step": "round", "started.$": "$$.Execution.StartTime"}, ROUND_S)
    good = _step(invoke, function_arn, {"step": "answer", "request.$": "$.request", "reason": ""}, _ANSWER_S)
    bad = {"step": "answer", "request.$": "$.request", "reason.$": "$.round.reason"}
    broken = {"step": "answer", "request.$": "$.request", "reason.$": "$.failure.Round.Cause"}
    return {
        "StartAt": "Pause",
        "States": {
            "Round": look | {"ResultSelector": {"said.$": "$.Payload"}, "ResultPath": "$.found", "Next": "Said"},
            "Said": {
                "Type": "Pass",
                "Parameters": {"request.$": "$.request", "round.$": "$.found.said"},
                "Next": "IsDone",
            },
            "IsDone": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.round.done", "BooleanEquals": True, "Next": "Done"},
                    {"Variable": "$.round.late", "BooleanEquals": True, "Next": "TooLate"},
                ],
                "Default": "Pause",
            },
            "Pause": {"Type": "Wait", "SecondsPath": "$.round.pause_s", "Next": "Round"},
            "Done": good | {"End": True},
            "TooLate": _step(invoke, function_arn, bad, _ANSWER_S) | {"Next": "Failed"},
            "Broken": _step(invoke, function_arn, broken, _ANSWER_S) | {"Next": "Failed"},
            "Failed": {"Type": "Fail", "Error": "NotTakenAway", "Cause": "CloudFormation was told why"},
        },
    }


def _step(invoke: str, function_arn: str, payload: Mapping[str, Any], timeout_s: int) -> State:
    """A call of the function; only a round's failure has somebody to be told to."""
    is_round = payload["step"] == "round"
    state = task_state(
        "Round" if is_round else "Answer",
        invoke,
        {"FunctionName": function_arn, "Payload": payload},
        faults=(*LAMBDA_FAULTS, "Sandbox.Timedout"),
        timeout_s=timeout_s + 30,
        failed="Broken" if is_round else "Failed",
    )
    return state if is_round else state | {"ResultPath": None}
