"""Can an execution be made to wait before a state, without a change of its definition?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from mlplatform_cdk.local.settings import Settings
from tests.local.exec.account import Account, _ended, eventually

TWO = {"StartAt": "First", "States": {"First": {"Type": "Pass", "Next": "Last"}, "Last": {"Type": "Succeed"}}}


@pytest.fixture
def breakpoints(aws: Settings) -> Iterator[Callable[..., Any]]:
    """Set them; which executions wait, and where."""

    def ask(*states: str, method: str = "PUT") -> Any:
        body = json.dumps(states) if method == "PUT" else None
        return urllib3.request(method, f"{aws.endpoint_url}/_embedded/breakpoints", body=body).json()

    yield ask
    ask()


def test_an_execution_waits_before_a_state_until_it_may_go_on(
    account: Account, breakpoints: Callable[..., Any]
) -> None:
    states, machine = account.client("stepfunctions"), account.machine(TWO)
    breakpoints("Last")
    held = states.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(lambda: breakpoints(method="GET") == {held: "Last"})
    assert states.describe_execution(executionArn=held)["status"] == "RUNNING"

    assert breakpoints(method="POST") == {}

    ended = eventually(lambda: _ended(states.describe_execution(executionArn=held)))
    assert ended["status"] == "SUCCEEDED"
    history = states.get_execution_history(executionArn=held)["events"]
    entered = [one["stateEnteredEventDetails"]["name"] for one in history if "stateEnteredEventDetails" in one]
    assert entered == ["First", "Last"]


def test_one_that_started_with_a_breakpoint_keeps_it_and_can_be_stopped_there(
    account: Account, breakpoints: Callable[..., Any]
) -> None:
    states, machine = account.client("stepfunctions"), account.machine(TWO)
    breakpoints("First")
    held = states.start_execution(stateMachineArn=machine)["executionArn"]
    breakpoints()

    assert account.run(machine)["status"] == "SUCCEEDED"
    eventually(lambda: breakpoints() == {held: "First"})
    states.stop_execution(executionArn=held, error="Enough", cause="of this")

    ended = eventually(lambda: _ended(states.describe_execution(executionArn=held)))
    assert (ended["status"], ended["error"]) == ("ABORTED", "Enough")
    eventually(lambda: breakpoints() == {})
    events = [one["type"] for one in states.get_execution_history(executionArn=held)["events"]]
    assert events == ["ExecutionStarted", "ExecutionAborted"]
