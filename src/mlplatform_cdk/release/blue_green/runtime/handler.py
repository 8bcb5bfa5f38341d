"""Runs the step that the state machine names."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import calling, ending, entering, lock, shifting, steps
from mlplatform_cdk.release.blue_green.runtime.errors import Throttled
from mlplatform_cdk.runtimekit import aws, logs

_LOG = logs.logger("release")
STEPS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "enter": entering.enter,
    "plan": steps.plan,
    "preflight": steps.examine,
    "watch": steps.watch,
    "test": steps.test,
    "advance": shifting.advance,
    "look": shifting.look,
    "let_scale": steps.let_scale,
    "hold_still": steps.hold_still,
    "measure": steps.measure,
    "remove_scaling": steps.remove_scaling,
    "remove_scaling_of_blue": steps.remove_scaling_of_blue,
    "mark": steps.mark,
    "clean_up": steps.clean_up,
    "go_back": ending.go_back,
    "settle": ending.settle,
    "conclude": ending.conclude,
    "leave": ending.leave,
    "call": calling.call,
}
# These only look, or see to the turn by themselves; all others touch something, and must have it.
WITHOUT_TURN = ("enter", "watch", "go_back", "settle", "conclude", "leave")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """What the step in ``event`` answers.

    :raises LockLost: when the execution has lost its turn, such as one that was redriven after its recovery.
    """
    logs.bind(execution=event["execution_arn"], step=event["step"])
    try:
        if event["step"] not in WITHOUT_TURN:
            lock.must_hold(event["endpoint_name"], event["execution_arn"])
        answer = STEPS[event["step"]](event)
    except Exception as error:
        if aws.is_throttling(error) or aws.is_fault(error):
            raise Throttled(str(error)) from error
        raise
    _LOG.info("done", extra={"answer": answer})
    return answer
