"""Starts a station's release and looks at it until it has ended."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.train.runtime.errors import ReleaseLost
from mlplatform_cdk.release.train.runtime.station import Station

_RUNNING = ("RUNNING", "PENDING_REDRIVE")
_LONGEST_REASON = 1000


def start(station: Station, execution_arn: str, what: str, request: Mapping[str, Any]) -> str:
    """The ARN of the release that ``request`` asks for; asked again, it is the one that began before.

    :param station: where.
    :param execution_arn: the train's; the release's name holds its digest.
    :param what: tells two releases of one train at one station apart.
    :param request: the input of the station's machine.
    """
    machine = station.address.machine
    name = f"train-{hashlib.sha256(f'{execution_arn} {station.facts.name} {what}'.encode()).hexdigest()[:32]}"
    client = station.client("stepfunctions")
    try:
        arn: str = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(dict(request)))[
            "executionArn"
        ]
    except client.exceptions.ExecutionAlreadyExists:
        return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    return arn


def look(station: Station, release: str, *, looks: int, most_looks: int) -> dict[str, Any]:
    """Whether ``release`` has ended, and how.

    :param station: where it runs.
    :param release: its execution.
    :param looks: how often somebody has looked before.
    :param most_looks: how often one may.
    :raises ReleaseLost: when it still runs after that.
    """
    found = station.client("stepfunctions").describe_execution(executionArn=release)
    status = found["status"]
    if status in _RUNNING:
        if looks + 1 >= most_looks:
            message = f"the release at {station.facts.name} must end in time, and still runs: {release}"
            raise ReleaseLost(message)
        return {"ended": False, "ok": False, "reason": "", "looks": looks + 1}
    reason = " ".join(f"{found.get('error', '')}: {found.get('cause', '')}".split()).strip(": ")
    ok = status == "SUCCEEDED"
    said = "" if ok else f"{status}{': ' if reason else ''}{reason}"[:_LONGEST_REASON]
    return {"ended": True, "ok": ok, "reason": said, "looks": looks + 1}
