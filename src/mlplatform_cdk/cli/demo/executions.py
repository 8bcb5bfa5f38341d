"""Follows executions of a state machine through Step Functions' own API."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from mlplatform_cdk.cli.demo.report import ExecutionReport, StateReport, StepFailed

POLL_SECONDS = 0.2
Progress = Callable[[str], None]


class Executions:
    """The executions of one state machine.

    :param client: a boto3 ``stepfunctions`` client.
    :param machine_arn: the state machine.
    :param step: what the demo calls it, for the reason of a failure.
    """

    def __init__(self, client: Any, machine_arn: str, step: str) -> None:
        self._client = client
        self._machine_arn = machine_arn
        self._step = step

    def arns(self) -> set[str]:
        """The executions that exist now."""
        pages = self._client.get_paginator("list_executions").paginate(stateMachineArn=self._machine_arn)
        return {execution["executionArn"] for page in pages for execution in page["executions"]}

    def next_after(self, known: set[str], patience: float) -> str:
        """The first execution that is not among ``known``, started by whatever event starts it."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if new := self.arns() - known:
                return new.pop()
            time.sleep(POLL_SECONDS)
        raise StepFailed(self._step, f"no execution began within {patience:.0f} s of the event that should start it")

    def start(self, name: str, body: str) -> str:
        """Start an execution by hand."""
        started = self._client.start_execution(stateMachineArn=self._machine_arn, name=name, input=body)
        return str(started["executionArn"])

    def follow(self, arn: str, patience: float, progress: Progress) -> ExecutionReport:
        """Wait until the execution ends, naming each state that it enters."""
        deadline = time.monotonic() + patience
        while (state := self._client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise StepFailed(self._step, f"{state['name']} still ran after {patience:.0f} s")
            entered = [name for name, left in _states(self.events(arn)) if left is None]
            if entered:
                progress(entered[-1])
            time.sleep(POLL_SECONDS)
        return ExecutionReport(
            name=state["name"],
            status=state["status"],
            seconds=(state["stopDate"] - state["startDate"]).total_seconds(),
            states=tuple(
                StateReport(name=name, seconds=seconds)
                for name, seconds in _states(self.events(arn))
                if seconds is not None
            ),
            error=state.get("error"),
            cause=state.get("cause"),
        )

    def events(self, arn: str) -> list[dict[str, Any]]:
        """The execution's history, oldest first."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]


def output_of(events: Iterable[dict[str, Any]], state: str) -> str | None:
    """What ``state`` gave to its successor, as JSON text; None when the execution never left it."""
    details = [event.get("stateExitedEventDetails", {}) for event in events]
    return next((detail.get("output") for detail in details if detail.get("name") == state), None)


def _states(events: Iterable[dict[str, Any]]) -> list[tuple[str, float | None]]:
    """Each state in the order of entry, with the seconds until it was left (None: still inside)."""
    visits: list[tuple[str, float | None]] = []
    entered: dict[str, tuple[int, datetime]] = {}
    for event in events:
        if begin := event.get("stateEnteredEventDetails"):
            entered[begin["name"]] = (len(visits), event["timestamp"])
            visits.append((begin["name"], None))
        elif (end := event.get("stateExitedEventDetails")) and end["name"] in entered:
            position, since = entered.pop(end["name"])
            visits[position] = (end["name"], (event["timestamp"] - since).total_seconds())
    return visits
