"""The state machine of an A/B test: begin, let the callers in, look again and again, and leave the endpoint as it ends.

A test that fails on the way goes the same way out as one that has a winner; a test that is ended from outside is taken
over by an execution of its own, which the event of that end starts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import State, caught_as, task_state
from mlplatform_cdk.runtimekit.ab_test.client import REFRESH_S

RECOVER = "recover"
_REACH_EVERY_S, _MOST_REACHES = 30, 120  # an hour for fleets to come up
_FUNCTION_S, _QUICK_S = 330, 60  # half a minute more than the function itself has
# A fault of a service must not end a test of weeks; what the steps themselves refuse stays refused.
_FAULTS, _REFUSALS = ("States.TaskFailed",), ("TestFailed", "TestRefused")
_ASK = {"looks": 0, "asked": False}
_CLOSE, _LEAVE = "Close", "LeaveEndpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """All that tells one test's states from another's.

    :param partition: ``aws``, ``aws-us-gov``, ``aws-cn`` or a token.
    :param function_arn: of the steps.
    :param test: what every step is told, as ``facts.Test`` has it.
    :param look_every_s: seconds between two looks.
    :param topic_arn: where people hear of the end; None: nowhere.
    :param release_arn: the state machine of the endpoint's releases, which brings a winner live; None: nobody does.
    :param slow_start_s: how much longer than others a fleet may take to come up, in seconds; default: no longer.
    """

    partition: str
    function_arn: str
    test: Mapping[str, Any]
    look_every_s: int
    topic_arn: str | None
    release_arn: str | None
    slow_start_s: int = 0

    @property
    def reach_every_s(self) -> int:
        """Seconds between two looks at fleets that come up."""
        return _REACH_EVERY_S + math.ceil(self.slow_start_s / _MOST_REACHES)

    def step(
        self,
        name: str,
        step: str,
        then: str,
        *,
        answers: Sequence[str] = (),
        into: str | None = None,
        failed: str = _CLOSE,
        **told: object,
    ) -> dict[str, State]:
        """Run a step of the function, and keep the fields ``answers`` of what it says under ``into``."""
        payload = {
            "step": step,
            "execution_arn.$": "$$.Execution.Id",
            "request.$": "$.request",
            "test": dict(self.test),
            **told,
        }
        parameters = {"FunctionName": self.function_arn, "Payload": payload}
        task = self._task(name, "lambda:invoke", parameters, _FUNCTION_S, failed)
        (again,) = task["Retry"]
        task["Retry"] = [again | {"ErrorEquals": [*_REFUSALS], "MaxAttempts": 0}, again]
        if into is not None:
            task["ResultSelector"] = {f"{one}.$": f"$.Payload.{one}" for one in answers}
        return {name: task | {"ResultPath": into, "Next": then}}

    def call(self, name: str, action: str, parameters: Mapping[str, Any], then: str) -> dict[str, State]:
        """Make one call; what it answers is dropped, and if it fails, the machine goes on."""
        task = self._task(name, action, parameters, _QUICK_S, then)
        return {name: caught_as(task, f"$.stumbles.{name}", then) | {"ResultPath": None, "Next": then}}

    def _task(self, name: str, action: str, parameters: Mapping[str, Any], timeout_s: int, failed: str) -> State:
        resource = f"arn:{self.partition}:states:::{action}"
        return task_state(name, resource, parameters, faults=_FAULTS, timeout_s=timeout_s, failed=failed)


def definition(machine: Machine) -> dict[str, Any]:
    """The whole machine."""
    return {
        "StartAt": "Start",
        "States": {**_beginning(machine), **_looking(machine), **_inheriting(machine), **_ending(machine)},
    }


def _beginning(machine: Machine) -> dict[str, State]:
    run: dict[str, Any] = {"run.$": "$.begun.run"}
    return {
        "Start": _pass({"request.$": "$", "look": {"ended": False, "looks": 0}, "reached": _ASK}, "$", "WhatFor"),
        "WhatFor": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.request.action", "IsPresent": True},
                        {"Variable": "$.request.action", "StringEquals": RECOVER},
                    ],
                    "Next": "Inherit",
                }
            ],
            "Default": "Begin",
        },
        **machine.step("Begin", "begin", "BringUp", answers=["run"], into="$.begun", failed="GiveUp"),
        **machine.step("GiveUp", "give_up", "NotBegun", failed="NotBegun"),
        "NotBegun": {
            "Type": "Fail",
            "Error": "ABTest.NotBegun",
            "CausePath": "States.JsonToString($.failure)",
        },
        **machine.step("BringUp", "bring_up", "ReachTest", **run),
        **_reaching(machine, "ReachTest", "test", "TryOut", _CLOSE),
        **machine.step("TryOut", "try_out", "Open", **run),
        **machine.step("Open", "open", "WaitToLook", **run),
    }


def _looking(machine: Machine) -> dict[str, State]:
    answers = ["ended", "looks", "outcome", "winner", "reason"]
    told: dict[str, Any] = {"run.$": "$.begun.run", "looks.$": "$.look.looks"}
    return {
        "WaitToLook": {"Type": "Wait", "Seconds": machine.look_every_s, "Next": "Look"},
        **machine.step("Look", "look", "IsOver", answers=answers, into="$.look", **told),
        "IsOver": _choice("$.look.ended", _CLOSE, default="WaitToLook"),
    }


def _inheriting(machine: Machine) -> dict[str, State]:
    return {
        **machine.step("Inherit", "inherit", "IsThereAny", answers=["run", "held"], into="$.begun", failed="NotBegun"),
        "IsThereAny": _choice("$.begun.held", _CLOSE, default="NothingToDo"),
        "NothingToDo": {"Type": "Succeed"},
    }


def _ending(machine: Machine) -> dict[str, State]:
    run: dict[str, Any] = {"run.$": "$.begun.run"}
    ended: dict[str, Any] = {**run, "ended.$": "$.ended"}
    answers = ["subject", "message", "promoted", "version", "failed"]
    states = {
        **machine.step(
            _CLOSE,
            "close",
            "LetCallersGo",
            answers=["outcome", "winner", "reason", "version"],
            into="$.ended",
            failed="GiveUpAndFail",
            **run,
            **{"context.$": "$"},
        ),
        # Whoever read the shares a moment ago still asks the variants that go now.
        "LetCallersGo": {"Type": "Wait", "Seconds": 2 * int(REFRESH_S), "Next": "BeginToLeave"},
        "BeginToLeave": _pass(_ASK, "$.reached", _LEAVE),
        **_reaching(machine, _LEAVE, "end", "Finish", "GiveUpAndFail", **{"ended.$": "$.ended"}),
        **machine.step("Finish", "finish", "Tell", answers=answers, into="$.finished", failed="GiveUpAndFail", **ended),
        **machine.step("GiveUpAndFail", "give_up", "TellLost", failed="TellLost"),
        "HasFailed": _choice("$.finished.failed", "Failed", default="IsToRelease"),
        "IsToRelease": _choice("$.finished.promoted", "Release", default="Ended"),
        "Ended": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "ABTest.Failed", "CausePath": "$.finished.message"},
        "Lost": {"Type": "Fail", "Error": "ABTest.Lost", "CausePath": "States.JsonToString($.failure)"},
    }
    return states | _telling(machine)


def _telling(machine: Machine) -> dict[str, State]:
    """What people hear, and the release of a winner on an endpoint that releases own."""
    name = machine.test["name"]
    if machine.topic_arn is None:
        states: dict[str, State] = {"Tell": _pass({}, None, "HasFailed"), "TellLost": _pass({}, None, "Lost")}
    else:
        lost = f"A/B test {name} ended, and its endpoint was not left as it should be; look at it now: {{}}"
        message = f"States.Format('{lost}', States.JsonToString($.failure))"
        states = {
            **machine.call(
                "Tell",
                "sns:publish",
                {
                    "TopicArn": machine.topic_arn,
                    "Subject.$": "$.finished.subject",
                    "Message.$": "$.finished.message",
                },
                "HasFailed",
            ),
            **machine.call(
                "TellLost",
                "sns:publish",
                {"TopicArn": machine.topic_arn, "Subject": f"A/B test {name} is lost", "Message.$": message},
                "Lost",
            ),
        }
    if machine.release_arn is None:
        return states | {"Release": _pass({}, None, "Ended")}
    wanted = {
        "model_package_arn.$": "$.finished.version",
        "by": "ab_test",
        "who": f"A/B test {name}",
        "reason.$": "$.finished.message",
    }
    start = {"StateMachineArn": machine.release_arn, "Input.$": "$.release"}
    return {
        **states,
        "Release": _pass(wanted, "$.release", "StartRelease"),
        **machine.call("StartRelease", "states:startExecution", start, "Ended"),
    }


def _reaching(machine: Machine, name: str, towards: str, then: str, failed: str, **told: object) -> dict[str, State]:
    """Change the endpoint, one call at a time, until it is as wanted."""
    wait, done = f"{name}Wait", f"{name}Done"
    return {
        **machine.step(
            name,
            "reach",
            done,
            answers=["settled", "asked", "looks"],
            into="$.reached",
            failed=failed,
            **{"run.$": "$.begun.run", "reached.$": "$.reached", "most_looks": _MOST_REACHES, "towards": towards},
            **told,
        ),
        done: _choice("$.reached.settled", then, default=wait),
        wait: {"Type": "Wait", "Seconds": machine.reach_every_s, "Next": name},
    }


def _pass(value: Mapping[str, Any], into: str | None, then: str) -> State:
    """A state that calls nothing."""
    if into is None:
        return {"Type": "Pass", "Next": then}
    return {"Type": "Pass", "Parameters": dict(value), "ResultPath": into, "Next": then}


def _choice(path: str, then: str, *, default: str) -> State:
    """``then`` if the flag at ``path`` is set."""
    return {
        "Type": "Choice",
        "Choices": [{"Variable": path, "BooleanEquals": True, "Next": then}],
        "Default": default,
    }
