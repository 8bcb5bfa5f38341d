"""Runs the step that the state machine names."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.release.train.runtime import steps
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("train")
STEPS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "prepare": steps.prepare,
    "advance": steps.advance,
    "promote": steps.promote,
    "depart": steps.depart,
    "send_back": steps.send_back,
    "look": steps.look,
}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """What the step in ``event`` answers."""
    logs.bind(execution=event["execution_arn"], step=event["step"])
    answer = STEPS[event["step"]](event)
    _LOG.info("done", extra={"answer": answer})
    return answer
