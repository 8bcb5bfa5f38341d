"""Runs what an event from outside the machine asks for: a function of its own, which can and loads nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import guard
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("guard")
STEPS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "guard": guard.on_alarm,
    "recover": guard.on_end,
}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """What was done about ``event``; one that fails comes again, as Lambda does with every event."""
    logs.bind(execution=event["execution_arn"], step=event["step"])
    answer = STEPS[event["step"]](event)
    _LOG.info("done", extra={"answer": answer})
    return answer
