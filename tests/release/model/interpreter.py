"""Amazon States Language, as far as a release speaks it: a state at a time, so that anything can happen in between."""

import copy
import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Call = Callable[[str, Mapping[str, Any]], Any]
RUNNING = "RUNNING"
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TaskError(Exception):
    """What a task ended with: the name of its error, and its cause."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(name, cause)
        self.name, self.cause = name, cause


class Execution:
    """One execution of a definition.

    :param definition: the state machine.
    :param arn: of the execution.
    :param given: its input.
    :param call: what a task's resource does with its parameters.
    """

    _order = itertools.count()

    def __init__(self, definition: Mapping[str, Any], arn: str, given: Mapping[str, Any], call: Call) -> None:
        self.states, self.arn, self.call = definition["States"], arn, call
        self.state: str = definition["StartAt"]
        self.data: Any = None
        self.status, self.error, self.cause = RUNNING, "", ""
        self.given = dict(given)
        self.visited: list[str] = []
        self.waits_for = ""  # a token, or the retention
        self.begun = next(self._order)

    @property
    def context(self) -> dict[str, Any]:
        """What a definition reads by ``$$``."""
        moment = (_NOON + timedelta(seconds=self.begun)).isoformat()
        return {
            "Execution": {"Id": self.arn, "Input": self.given, "StartTime": moment},
            "State": {"EnteredTime": moment},
            "StateMachine": {"Id": "machine"},
            "Task": {"Token": f"{self.arn}/{len(self.visited)}"},
        }

    def step(self) -> None:
        """Run one state."""
        state = self.states[self.state]
        self.visited.append(self.state)
        getattr(self, f"_{state['Type'].lower()}")(state)

    def answer(self, error: TaskError | None = None) -> None:
        """What comes of the state that waits: it goes on, or fails."""
        state, self.waits_for = self.states[self.state], ""
        if error is not None:
            self._catch(state, error)
        else:
            self.state = state["Next"]

    def stop(self, error: str, cause: str) -> None:
        """End from outside."""
        if self.status == RUNNING:
            self.status, self.error, self.cause, self.waits_for = "ABORTED", error, cause, ""

    def redrive(self) -> None:
        """Go on with the state in which it ended."""
        if self.status in ("ABORTED", "FAILED"):
            self.status, self.error, self.cause = RUNNING, "", ""

    def _pass(self, state: Mapping[str, Any]) -> None:
        if "Parameters" in state:
            made = self._filled(state["Parameters"])
        elif "Result" in state:
            made = state["Result"]
        else:
            made = self._at(state.get("InputPath", "$"))
        self._put(state.get("ResultPath", "$"), made)
        self.state = state["Next"]

    def _choice(self, state: Mapping[str, Any]) -> None:
        self.state = next((one["Next"] for one in state["Choices"] if self._holds(one)), state["Default"])

    def _wait(self, state: Mapping[str, Any]) -> None:
        if state.get("SecondsPath") == "$.request.after_s":
            self.waits_for = "retention"
            return
        self.state = state["Next"]

    def _task(self, state: Mapping[str, Any]) -> None:
        resource = state["Resource"].split(":::")[1]
        if resource.endswith(".waitForTaskToken"):
            self.waits_for = "person"
            return
        try:
            answer = self.call(resource, self._filled(state["Parameters"]))
        except TaskError as error:
            self._catch(state, error)
            return
        if state.get("ResultPath", "$") is not None:
            made = self._filled(state["ResultSelector"], answer) if "ResultSelector" in state else answer
            self._put(state.get("ResultPath", "$"), made)
        self.state = state["Next"]

    def _succeed(self, _state: Mapping[str, Any]) -> None:
        self.status = "SUCCEEDED"

    def _fail(self, state: Mapping[str, Any]) -> None:
        self.status = "FAILED"
        self.error, self.cause = self._at(state["ErrorPath"]), self._at(state["CausePath"])

    def _catch(self, state: Mapping[str, Any], error: TaskError) -> None:
        (caught,) = state["Catch"]
        self._put(caught["ResultPath"], {"Error": error.name, "Cause": error.cause})
        self.state = caught["Next"]

    def _holds(self, rule: Mapping[str, Any]) -> bool:
        if "And" in rule:
            return all(self._holds(one) for one in rule["And"])
        try:
            value = self._at(rule["Variable"])
        except KeyError:
            return False
        if "IsPresent" in rule:
            return bool(rule["IsPresent"])
        wanted = rule["BooleanEquals"] if "BooleanEquals" in rule else rule["StringEquals"]
        return bool(type(value) is type(wanted) and value == wanted)

    def _filled(self, template: Any, source: Any = None) -> Any:
        if isinstance(template, list):
            return [self._filled(one, source) for one in template]
        if not isinstance(template, Mapping):
            return template
        return {
            name.removesuffix(".$"): self._at(value, source) if name.endswith(".$") else self._filled(value, source)
            for name, value in template.items()
        }

    def _at(self, path: str, source: Any = None) -> Any:
        if path.startswith("States.Format("):
            template, _, given = path.removeprefix("States.Format('").partition("'")
            parts = [self._at(one.strip(" )"), source) for one in given.split(",")[1:]]
            return template.format(*parts)
        if path.startswith("States."):
            return path  # a part of a sentence, which decides nothing
        root = self.context if path.startswith("$$") else (self.data if source is None else source)
        for part in path.lstrip("$").split(".")[1:]:
            root = root[part]
        return copy.deepcopy(root)

    def _put(self, path: str, value: Any) -> None:
        if path == "$":
            self.data = value
            return
        *parents, last = path.split(".")[1:]
        at = self.data
        for part in parents:
            at = at.setdefault(part, {})
        at[last] = value
