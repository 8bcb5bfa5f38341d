"""Answers CloudFormation: nothing to make, nothing to change, everything to take away."""

import time
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs, stack_answer
from mlplatform_cdk.serving.released_endpoint.runtime import removal

_LOG = logs.logger("removal")
_RESERVE_S = 30.0  # to answer in


def handle(event: Mapping[str, Any], context: Any) -> None:
    """Carry out ``event``, and say how it went, whatever happened."""
    name = event["ResourceProperties"]["EndpointName"]
    # The endpoint's name: with another name CloudFormation deletes the resource of the former one.
    physical_id = (
        event.get("PhysicalResourceId", "") if event["RequestType"] == "Delete" else f"released-endpoint/{name}"
    )
    stack_answer.carry_out(
        event,
        physical_id,
        lambda: _carry_out(event, name, physical_id, context),
        log=_LOG,
        what=f"removing endpoint {name}",
    )


def _carry_out(event: Mapping[str, Any], name: str, physical_id: str, context: Any) -> None:
    request = event["RequestType"]
    # A creation that failed before this function answered is rolled back under an id that is not ours.
    if request != "Delete" or physical_id != f"released-endpoint/{name}":
        _LOG.info("nothing to do", extra={"request": request, "endpoint": name})
        return
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
    logs_go = event["ResourceProperties"].get("Logs") == "delete"
    removal.remove(name, seconds_left=lambda: end - time.monotonic(), logs_go=logs_go)
