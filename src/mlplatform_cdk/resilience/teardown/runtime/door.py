"""Answers CloudFormation at once where one round does it, and else by the machine, which has the time for more."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime.rounds import Round, Work
from mlplatform_cdk.runtimekit import aws, logs, settings, stack_answer
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("teardown")
# What the machine needs of CloudFormation's request to answer it.
_ANSWERED_BY = ("ResponseURL", "StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")
_GOING = "DELETE_IN_PROGRESS"
_RESERVE_S = 20.0


class NotFinished(KnownError):
    """Something is left, and the time is over."""


def answer_to(event: Mapping[str, Any], context: Any, work: Work) -> dict[str, Any]:
    """What Lambda's handler says: to CloudFormation's requests, and to the machine's steps.

    :param event: a request, or a step: ``round`` with ``started``, ``answer`` with ``request`` and ``reason``.
    :param context: Lambda's.
    :param work: one round: takes away what it can, and says what it waits for.
    """

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)

    if "RequestType" in event:
        return _request(event, lambda: work(seconds_left))
    if event["step"] == "answer":
        return _answer(event["request"], event["reason"])
    return _outcome(work(seconds_left), event["started"])


def _request(event: Mapping[str, Any], make_round: Callable[[], Round]) -> dict[str, Any]:
    """A creation or a change has nothing to do; a deletion begins, unless the stack stays."""
    ours = f"teardown/{event['LogicalResourceId']}"
    physical_id = event.get("PhysicalResourceId", ours)
    waits_for = reason = ""
    try:
        if event["RequestType"] == "Delete" and physical_id == ours and _goes(event["StackId"]):
            made = make_round()
            waits_for = made.waits_for
            _go_on(event, made)
    except Exception as error:  # noqa: BLE001 - CloudFormation must hear of it
        waits_for, reason = "", f"the teardown of {_name(event['StackId'])} failed: {error}"
        _LOG.exception(reason)
    if not waits_for:
        stack_answer.send(event, stack_answer.Answer(physical_id, reason))
    return {"waits_for": waits_for}


def _goes(stack_id: str) -> bool:
    """Does the whole stack go? An update that drops this resource, or rolls its creation back, takes nothing away."""
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    status = stack["StackStatus"]
    if status != _GOING:
        _LOG.info("the stack stays", extra={"stack": stack_id, "status": status})
    return bool(status == _GOING)


def _go_on(event: Mapping[str, Any], made: Round) -> None:
    """Start the machine, if more is left; Lambda may deliver a request twice, and the name makes that one execution."""
    machine = event["ResourceProperties"].get("Machine")
    if not made.waits_for:
        return
    if machine is None:
        raise NotFinished(f"its time was over before {made.waits_for} went; delete the stack again")
    states = aws.client("stepfunctions")
    told = {"request": {name: event[name] for name in _ANSWERED_BY}, "round": {"pause_s": made.pause_s}}
    try:
        states.start_execution(
            stateMachineArn=machine,
            name=event["RequestId"],
            input=json.dumps(told),
        )
    except states.exceptions.ExecutionAlreadyExists:
        _LOG.info("it has begun already")


def _outcome(made: Round, started: str) -> dict[str, Any]:
    _LOG.info("round", extra={"waits_for": made.waits_for})
    patience = float(settings.required("PATIENCE_S"))
    waited = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
    return {
        "done": not made.waits_for,
        "late": waited > patience,
        "pause_s": made.pause_s,
        "reason": f"it waited {waited / 60:.0f} minutes for {made.waits_for}; delete the stack again",
    }


def _answer(request: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Tell CloudFormation how it ended; what the machine caught is a JSON text with Lambda's message in it."""
    said = ""
    if reason:
        said = f"the teardown of {_name(request['StackId'])} did not end: {_message(reason)}"
        _LOG.error(said)
    stack_answer.send(request, stack_answer.Answer(request["PhysicalResourceId"], said))
    return {"reason": said}


def _message(cause: str) -> str:
    try:
        caught = json.loads(cause)
    except ValueError:
        return cause
    return str(caught.get("errorMessage", cause)) if isinstance(caught, dict) else cause


def _name(stack_id: str) -> str:
    """The name in a stack's ARN."""
    parts = stack_id.split("/")
    if len(parts) < 2:  # noqa: PLR2004 - an ARN has its name between two slashes
        raise KnownError(f"a stack's id must be its ARN, got {stack_id!r}")
    return parts[1]
