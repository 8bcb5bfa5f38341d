"""One function for the steps of an A/B test's state machine, by name."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import steps
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("ab-test")
STEPS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "begin": steps.begin,
    "inherit": steps.inherit,
    "bring_up": steps.bring_up,
    "reach": steps.reach,
    "try_out": steps.try_out,
    "open": steps.open_,
    "look": steps.look,
    "close": steps.close,
    "finish": steps.finish,
    "give_up": steps.give_up,
}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """What the step in ``event`` answers."""
    logs.bind(execution=event["execution_arn"], step=event["step"])
    answer = STEPS[event["step"]](event)
    _LOG.info("done", extra={"answer": answer})
    return answer
