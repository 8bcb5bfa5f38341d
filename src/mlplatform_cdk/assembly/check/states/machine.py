"""Checks a state machine without AWS: its shape, and each task's parameters against botocore's service model.

A misspelt parameter, a missing one or one of the wrong type is refused by Step Functions only when the state runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping, mappings, texts
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.service_model import Caller
from mlplatform_cdk.assembly.check.states import calls
from mlplatform_cdk.assembly.check.states.expressions import is_jsonata, problem_of_dynamic, problems_of_template

State = Mapping[str, Any]
_ENDS = {"Succeed", "Fail", "Choice"}
FLOW, CALL, EXPRESSION = "asl-flow", "asl-call", "asl-expression"
TIMEOUT, RETRY, CATCH = "asl-timeout", "asl-retry", "asl-catch"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one state.

    :param kind: the rule, such as ``asl-call``.
    """

    kind: str
    state: str
    text: str

    def __str__(self) -> str:
        return f"{self.state}: {self.text}"


def problems(definition: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with ``definition``, its arrows first."""
    jsonata = definition.get("QueryLanguage") == "JSONata"
    found = [*_flow(definition)]
    for name, state in states(definition):
        found.extend(
            Problem(kind, name, unmarked(text))
            for kind, text in _state(
                state, jsonata=state.get("QueryLanguage", "JSONata" if jsonata else "") == "JSONata"
            )
        )
    return found


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """Every state, those inside Map and Parallel too."""
    for name, state in _own_states(definition).items():
        yield name, state
        for inner in _inner(state):
            yield from states(inner)


def left_to_function(state: State) -> State | None:
    """The call that a state leaves to its function, as if Step Functions made it; None: it leaves none that is known.

    A payload says so by ``call``, such as ``sagemaker:createModel``, and its ``parameters``.
    """
    payload = mapping(mapping(state.get("Parameters")).get("Payload"))
    if not {"call", "parameters"} <= payload.keys():
        return None
    return {**state, "Resource": f"arn:aws:states:::aws-sdk:{payload['call']}", "Parameters": payload["parameters"]}


def needed_actions(definition: Mapping[str, Any]) -> set[str]:
    """The IAM actions that the state machine's own role needs for its states."""
    needed = {
        action
        for _, state in states(definition)
        if state.get("Type") == "Task"
        for action in calls.needed_actions(state)
    }
    for _, state in states(definition):
        mode = mapping(mapping(state.get("ItemProcessor")).get("ProcessorConfig")).get("Mode")
        if state.get("Type") == "Map" and mode == "DISTRIBUTED":
            needed |= {"states:StartExecution"}
    return needed


def _own_states(definition: Mapping[str, Any]) -> dict[str, State]:
    return {name: mapping(state) for name, state in mapping(definition.get("States")).items()}


def _inner(state: State) -> list[Mapping[str, Any]]:
    return [one for key in ("ItemProcessor", "Iterator", "Branches") for one in mappings(state.get(key))]


def _flow(definition: Mapping[str, Any]) -> Iterator[Problem]:
    """Arrows that lead nowhere, and states that nothing leads to."""
    all_states, start = _own_states(definition), str(definition.get("StartAt"))
    names, led_to = set(all_states), {start}
    for name, state in all_states.items():
        targets = set(_targets(state))
        led_to |= targets
        for missing in sorted(targets - names):
            yield Problem(FLOW, name, f"leads to {missing!r}, which does not exist")
        if str(state.get("Type")) not in _ENDS and "Next" not in state and not state.get("End"):
            yield Problem(FLOW, name, "must have Next or End")
        for inner in _inner(state):
            yield from _flow(inner)
    for name in sorted(names - led_to):
        yield Problem(FLOW, name, "nothing leads to it")
    if start not in names:
        yield Problem(FLOW, "StartAt", f"{start!r} does not exist")


def _targets(state: State) -> Iterator[str]:
    for holder in (state, *mappings(state.get("Choices")), *mappings(state.get("Catch"))):
        yield from texts(holder.get("Next"))
    yield from texts(state.get("Default"))


def _state(state: State, *, jsonata: bool) -> Iterator[tuple[str, str]]:
    if not jsonata:
        for key in ("Parameters", "ResultSelector"):
            for text in problems_of_template(state.get(key, {}), key):
                yield EXPRESSION, text
    if state.get("Type") == "Task":
        yield from _ways_out(state)
        for one in (state, left_to_function(state)):
            for text in _call(one, jsonata=jsonata) if one else ():
                yield CALL, text


def _ways_out(state: State) -> Iterator[tuple[str, str]]:
    for kind, key in ((RETRY, "Retry"), (CATCH, "Catch")):
        if not state.get(key):
            yield kind, f"a task must have {key}"
    if "TimeoutSeconds" not in state and "TimeoutSecondsPath" not in state:
        yield TIMEOUT, "a task must have TimeoutSeconds"
    for retry in mappings(state.get("Retry")):
        if retry.get("MaxAttempts") == 0:
            continue  # it keeps what it names from being tried again
        for key in ("BackoffRate", "MaxDelaySeconds", "JitterStrategy"):
            if key not in retry:
                yield RETRY, f"Retry of {', '.join(texts(retry.get('ErrorEquals')))} must have {key}"


def _call(state: State, *, jsonata: bool) -> Iterator[str]:
    called = calls.call_of(str(state.get("Resource", "")))
    if isinstance(called, str):
        yield called
    elif called.operation:
        where = "Arguments" if jsonata else "Parameters"
        caller = Caller(
            dynamic=problem_of_dynamic,
            expression=is_jsonata if jsonata else lambda _value: False,
            capital=True,
            any_json=calls.ANY_JSON if called.optimized else frozenset(),
        )
        yield from called.operation.check(state.get(where, {}), where, caller)
