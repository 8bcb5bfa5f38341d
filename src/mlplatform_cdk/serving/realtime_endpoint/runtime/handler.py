"""Answers CloudFormation before and after an endpoint changes, and when it goes."""

import time
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs, stack_answer
from mlplatform_cdk.serving.realtime_endpoint.runtime import keeping
from mlplatform_cdk.serving.realtime_endpoint.runtime.fleet import Wanted

_LOG = logs.logger("fleet")
_RESERVE_S = 30.0  # to answer in


def handle(event: Mapping[str, Any], context: Any) -> None:
    """Carry out ``event``, and say how it went, whatever happened."""
    properties = event["ResourceProperties"]
    name, phase = properties["EndpointName"], properties["Phase"]
    # The endpoint's name: with another name CloudFormation deletes the resource of the former one.
    ours = f"fleet/{name}/{phase}"
    physical_id = event.get("PhysicalResourceId", "") if event["RequestType"] == "Delete" else ours

    def work() -> None:
        # A creation that failed before this function answered is rolled back under an id that is not ours.
        if event["RequestType"] != "Delete" or physical_id == ours:
            _carry_out(event["RequestType"], properties, context)

    stack_answer.carry_out(event, physical_id, work, log=_LOG, what=f"keeping the scaling of endpoint {name}")


def _carry_out(request: str, properties: Mapping[str, Any], context: Any) -> None:
    wanted = Wanted.from_properties(properties)
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
    if properties["Phase"] == "Before":
        if request == "Update":
            keeping.prepare(wanted)
    elif request == "Delete":
        keeping.leave(wanted)
    else:
        keeping.settle(wanted, seconds_left=lambda: end - time.monotonic())
