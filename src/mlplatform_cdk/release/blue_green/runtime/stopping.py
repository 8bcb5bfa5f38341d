"""Ends another execution from outside or starts one to follow, and says why one has ended."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit
from mlplatform_cdk.runtimekit import aws

ABORTED, SUPERSEDED, ALARM, ROLLED_BACK = "Release.Aborted", "Release.Superseded", "Release.Alarm", "Release.RolledBack"
# Of the business's own, and before callers have met green: it says nothing about the version.
EARLY_ALARM = "Release.EarlyAlarm"
INTERRUPTED = "Release.Interrupted"
_ENDED_BADLY = ("ABORTED", "FAILED", "TIMED_OUT")
_LONGEST_CAUSE = 32768


def stop(execution_arn: str, error: str, *, who: str, why: str) -> None:
    """Stop an execution; one that has ended already stays as it is.

    :param execution_arn: which one.
    :param error: one of this module's names.
    :param who: ends it.
    :param why: in a few words.
    """
    aws.client("stepfunctions").stop_execution(
        executionArn=execution_arn, error=error, cause=f"{who}: {why}"[:_LONGEST_CAUSE]
    )


def roll_back(execution_arn: str, version: str, *, why: str) -> None:
    """Start the rollback of a version that an execution has left with the traffic; asking again starts no other.

    :param execution_arn: which one; the rollback is another of its machine's.
    :param version: that must not keep the traffic.
    :param why: in a few words.
    """
    states, digest = aws.client("stepfunctions"), hashlib.sha256(execution_arn.encode()).hexdigest()[:32]
    request = {"action": "rollback", "by": "recovery", "model_package_arn": version, "reason": why}
    machine = ":".join(execution_arn.replace(":execution:", ":stateMachine:").split(":")[:7])
    try:
        states.start_execution(stateMachineArn=machine, name=f"rollback-{digest}", input=json.dumps(request))
    except states.exceptions.ExecutionAlreadyExists:
        return


def not_to_blame(label: str) -> str:
    """What people read where an alarm of the business rings before callers have met green. Pure.

    :param label: of the version.
    """
    return f"no caller has met {label} yet, so it is not to blame: start its release again when the alarm is over"


def ending_of(execution_arn: str) -> dict[str, str]:
    """How an execution ended, as Step Functions would have caught it.

    What nobody decided, such as a time-out or a fault of the machine's, is an interruption: it says nothing about the
    version.
    """
    states = aws.client("stepfunctions")
    try:
        found = states.describe_execution(executionArn=execution_arn)
    except states.exceptions.ExecutionDoesNotExist:
        return {"Error": INTERRUPTED, "Cause": f"{execution_arn} is not known any more"}
    return told(found)


def write_end(endpoint: str, dead: str, *, version: str = "") -> None:
    """Record who ended an execution that had planned nothing, and why: nobody else tells of it. Once, however often.

    :param endpoint: the endpoint's name.
    :param dead: the execution.
    :param version: that it was about; default: as its input says.
    """
    states = aws.client("stepfunctions")
    try:
        found = states.describe_execution(executionArn=dead)
    except states.exceptions.ExecutionDoesNotExist:
        return
    if found["status"] not in _ENDED_BADLY:
        return
    ended, event = told(found), {"endpoint_name": endpoint, "execution_arn": dead, "request": _input(found)}
    who, _, why = ended["Cause"].partition(": ") if ended["Error"] != INTERRUPTED else ("", "", ended["Cause"])
    audit.write(event, "Ended", "ended before it began", version=version, who=who, reason=why or ended["Cause"])


def _input(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an execution was started with, which may be anything."""
    try:
        value = json.loads(found.get("input") or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def told(found: Mapping[str, Any]) -> dict[str, str]:
    """The end in a description of an execution. Pure.

    :param found: what DescribeExecution answers.
    """
    error, cause = found.get("error") or "", found.get("cause") or ""
    if error.startswith("Release."):
        return {"Error": error, "Cause": cause or "nobody said why"}
    said = ": ".join(part for part in (f"it was interrupted ({found['status']})", error, cause) if part)
    return {"Error": INTERRUPTED, "Cause": said}
