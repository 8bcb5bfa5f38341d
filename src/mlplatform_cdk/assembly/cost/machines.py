"""State machines as the price sees them: SageMaker jobs that an execution starts, the endpoint that releases keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.intrinsics import number, text_with_holes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from mlplatform_cdk.assembly.cost.resources import Resource

_INNER = ("Iterator", "ItemProcessor")  # of a Map


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task state.

    :param action: the last part of its resource, such as ``createTrainingJob``.
    :param alternatives: of how many states of its kind an execution takes one, itself included.
    """

    name: str
    action: str
    parameters: Mapping[str, Any]
    alternatives: int = 1

    def at(self, *names: str) -> Any:
        """The parameter at the path ``names``; None when an execution decides it."""
        value: Any = self.parameters
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedEndpoint:
    """An endpoint that the releases of a state machine bring up and keep.

    :param minimum: instances at rest; None when an execution decides it.
    :param maximum: instances at most.
    """

    name: str
    instance_type: str
    minimum: Decimal | None
    maximum: Decimal | None


def definition_of(machine: Resource) -> dict[str, Any] | None:
    """The definition with holes for what deployment decides; None when the template does not hold it."""
    written = machine.get("Definition")
    if isinstance(written, dict):
        return written
    text = text_with_holes(machine.raw.get("DefinitionString"), machine.source.template, machine.region)
    try:
        document = json.loads(text) if text is not None else None
    except json.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def states_in(definition: Mapping[str, Any]) -> int:
    """How many states there are, at every level."""
    return sum(len(scope) for scope in _scopes(definition))


def tasks_of(definition: Mapping[str, Any]) -> Iterator[Task]:
    """The task states at every level."""
    for scope in _scopes(definition):
        tasks = {name: _task(name, state) for name, state in scope.items() if state.get("Type") == "Task"}
        reach = {name: _reachable(scope, name) for name in tasks}
        for name, task in tasks.items():
            others = [
                other
                for other in tasks
                if tasks[other].action == task.action and other not in reach[name] and name not in reach[other]
            ]
            yield Task(name=name, action=task.action, parameters=task.parameters, alternatives=len({name, *others}))


def released_endpoint(definition: Mapping[str, Any]) -> ReleasedEndpoint | None:
    """The endpoint whose specification the definition holds, as releases of this library do."""
    for task in tasks_of(definition):
        told = _specification(task.parameters)
        if told is not None:
            return ReleasedEndpoint(
                name=str(told["endpoint_name"]),
                instance_type=str(told["instance_type"]),
                minimum=number(told["minimum"]),
                maximum=number(told.get("maximum", told["minimum"])),
            )
    return None


def _scopes(definition: Mapping[str, Any]) -> Iterator[dict[str, dict[str, Any]]]:
    states = definition.get("States")
    if not isinstance(states, dict):
        return
    yield {name: state for name, state in states.items() if isinstance(state, dict)}
    for state in states.values():
        inner = [*state.get("Branches", []), *(state[key] for key in _INNER if key in state)]
        for each in inner:
            yield from _scopes(each)


def _task(name: str, state: Mapping[str, Any]) -> Task:
    action = str(state.get("Resource", "")).rpartition(":")[2]
    action = action.partition(".")[0]
    parameters = state.get("Parameters", state.get("Arguments"))
    return Task(name=name, action=action, parameters=parameters if isinstance(parameters, dict) else {})


def _reachable(scope: Mapping[str, Mapping[str, Any]], start: str) -> set[str]:
    """The states that may follow ``start``, what happens after a failure left aside."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        state = scope.get(waiting.pop(), {})
        rules = [state, *state.get("Choices", [])]
        named = {rule.get("Next") for rule in rules} | {state.get("Default")}
        following = {str(name) for name in named if name in scope}
        waiting.extend(following - seen)
        seen |= following
    return seen


def _specification(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, dict):
        if {"endpoint_name", "instance_type", "minimum"} <= value.keys():
            return value
        value = list(value.values())
    if isinstance(value, list):
        return next((found for each in value if (found := _specification(each)) is not None), None)
    return None
