"""Runs the step that the state machine names."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import steps
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("release")
STEPS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "plan": steps.plan,
    "watch": steps.watch,
    "test": steps.test,
    "suspend_scaling": steps.suspend_scaling,
    "remove_scaling": steps.remove_scaling,
    "mark": steps.mark,
    "go_back": steps.go_back,
}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """What the step in ``event`` answers."""
    logs.bind(execution=event["execution_arn"], step=event["step"])
    answer = STEPS[event["step"]](event)
    _LOG.info("done", extra={"answer": answer})
    return answer
