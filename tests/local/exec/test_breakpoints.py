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

    def ask(**states: int) -> Any:
        return urllib3.request("PUT", f"{aws.endpoint_url}/_embedded/breakpoints", body=json.dumps(states)).json()

    yield ask
    ask()


def test_an_execution_waits_before_a_state_until_its_time_is_over(
    account: Account, breakpoints: Callable[..., Any]
) -> None:
    states, machine = account.client("stepfunctions"), account.machine(TWO)
    breakpoints(Last=50)  # half a second by the clock of these tests

    ended = account.run(machine)

    assert ended["status"] == "SUCCEEDED"
    history = states.get_execution_history(executionArn=ended["executionArn"])["events"]
    entered = {
        one["stateEnteredEventDetails"]["name"]: one["timestamp"]
        for one in history
        if "stateEnteredEventDetails" in one
    }
    assert list(entered) == ["First", "Last"]
    assert (entered["Last"] - entered["First"]).total_seconds() >= 0.4


def test_one_that_started_with_a_breakpoint_keeps_it_and_can_be_stopped_there(
    account: Account, breakpoints: Callable[..., Any]
) -> None:
    states, machine = account.client("stepfunctions"), account.machine(TWO)
    breakpoints(First=86_400)
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
