"""Checks a state machine without AWS: its shape, and each task's parameters against botocore's service model.

A misspelt parameter, a missing one or one of the wrong type is refused by Step Functions only when the state runs.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.service_model import Operation, operation

State = Mapping[str, Any]
_RESOURCE = re.compile(
    r"arn:[a-z-]+:states:[a-z0-9-]*:\d*:(?P<call>[\w:-]+?)(?:\.(?P<pattern>sync|sync:2|waitForTaskToken))?"
)
_INTRINSIC = re.compile(
    r"States\.(?:Array|ArrayContains|ArrayGetItem|ArrayLength|ArrayPartition|ArrayRange|ArrayUnique|Base64Decode"
    r"|Base64Encode|Format|Hash|JsonMerge|JsonToString|MathAdd|MathRandom|StringSplit|StringToJson|UUID)\(.*\)",
    re.DOTALL,
)
_PATH = re.compile(r"\$(?:\$)?(?:\.[\w-]+|\[[^\]]+\])*")
_TEXT_INTRINSICS = ("States.Format", "States.JsonToString", "States.Base64", "States.Hash", "States.UUID")
# What .sync calls besides the call itself: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_SYNC_ACTIONS = ("Describe", "Stop")


def problems(definition: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``definition``, one sentence each, the state's name in front."""
    return [*_flow(definition), *(f"{name}: {text}" for name, state in states(definition) for text in _state(state))]


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """Every state, those inside Map and Parallel too."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in _inner(state):
            yield from states(inner)


def needed_actions(definition: Mapping[str, Any]) -> set[str]:
    """The IAM actions that the state machine's own role needs for its tasks."""
    return {action for _, state in states(definition) if state["Type"] == "Task" for action in _actions(state)}


def _inner(state: State) -> list[Mapping[str, Any]]:
    iterator = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
    return [*iterator, *state.get("Branches", [])]


def _flow(definition: Mapping[str, Any]) -> Iterator[str]:
    """Do all arrows lead to states, and is each state led to?"""
    names, led_to = set(definition["States"]), {definition["StartAt"]}
    for name, state in definition["States"].items():
        targets = set(_targets(state))
        led_to |= targets
        for missing in sorted(targets - names):
            yield f"{name}: leads to {missing!r}, which does not exist"
        if state["Type"] not in {"Succeed", "Fail", "Choice"} and "Next" not in state and not state.get("End"):
            yield f"{name}: must have Next or End"
        for inner in _inner(state):
            yield from _flow(inner)
    for name in sorted(names - led_to):
        yield f"{name}: nothing leads to it"
    if definition["StartAt"] not in names:
        yield f"StartAt: {definition['StartAt']!r} does not exist"


def _targets(state: State) -> Iterator[str]:
    for holder in (state, *state.get("Choices", []), *state.get("Catch", [])):
        if "Next" in holder:
            yield holder["Next"]
    if "Default" in state:
        yield state["Default"]


def _state(state: State) -> Iterator[str]:
    for key in ("Parameters", "ResultSelector"):
        yield from _templates(state.get(key, {}), key)
    if state["Type"] == "Task":
        yield from _ways_out(state)
        yield from _call(state)


def _ways_out(state: State) -> Iterator[str]:
    for key in ("Retry", "Catch"):
        if not state.get(key):
            yield f"a task must have {key}"
    if "TimeoutSeconds" not in state and "TimeoutSecondsPath" not in state:
        yield "a task must have TimeoutSeconds"
    for retry in state.get("Retry", []):
        for key in ("BackoffRate", "MaxDelaySeconds", "JitterStrategy"):
            if key not in retry:
                yield f"Retry of {', '.join(retry['ErrorEquals'])} must have {key}"


def _call(state: State) -> Iterator[str]:
    called = _called(state)
    if isinstance(called, str):
        yield called
        return
    yield from called.check(state.get("Parameters", {}), "Parameters", _dynamic)


def _called(state: State) -> Operation | str:
    match = _RESOURCE.fullmatch(state["Resource"])
    if match is None:
        return f"Resource must be an integration of Step Functions, got {state['Resource']!r}"
    *service, action = match["call"].removeprefix("aws-sdk:").split(":")
    if len(service) != 1:
        return f"Resource must name a service and an action, got {state['Resource']!r}"
    return operation(service[0], action)


def _dynamic(expression: object, kind: str) -> str | None:
    """What is wrong with the value of a ``.$`` parameter, where a value of ``kind`` is expected."""
    if not isinstance(expression, str) or not (_PATH.fullmatch(expression) or _INTRINSIC.fullmatch(expression)):
        return f"must be a path or an intrinsic function, got {expression!r}"
    unquoted = re.sub(r"'(?:\\.|[^'\\])*'", "", expression)
    if "'" in unquoted or unquoted.count("(") != unquoted.count(")"):
        return f"must have its quotes and parentheses closed, got {expression!r}"
    if expression.startswith(_TEXT_INTRINSICS) and kind not in {"string", "blob", "any"}:
        return f"must be of type {kind}, got a text from {expression!r}"
    return None


def _templates(value: object, where: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            problem = _dynamic(item, "any") if key.endswith(".$") else None
            if problem:
                yield f"{where}.{key} {problem}"
            elif not key.endswith(".$"):
                yield from _templates(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, f"{where}[{index}]")
    elif isinstance(value, str) and (value.startswith("$.") or _INTRINSIC.fullmatch(value)):
        yield f"{where} looks like a path, {json.dumps(value)}, but its key does not end with '.$'"


def _actions(state: State) -> Iterator[str]:
    called = _called(state)
    assert isinstance(called, Operation), called
    if called.iam_action == "lambda:Invoke":
        yield "lambda:InvokeFunction"
        return
    yield called.iam_action
    if ".sync" in state["Resource"] and called.name.startswith("Create"):
        for verb in _SYNC_ACTIONS:
            yield called.iam_action.replace(":Create", f":{verb}")
        yield "iam:PassRole"
        yield from ("events:PutTargets", "events:PutRule", "events:DescribeRule")
