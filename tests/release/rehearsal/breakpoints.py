"""A state machine that stops where a test wants it to, and waits there to be ended."""

import copy
from dataclasses import dataclass
from typing import Any

BREAKPOINT = "Breakpoint"

Definition = dict[str, Any]


@dataclass(frozen=True)
class Halting:
    """A definition whose executions wait before a state, on the embedded AWS; see its breakpoints."""

    definition: Definition
    state: str


def stopping_at(definition: Definition, state: str) -> Halting:
    """``definition``, whose executions wait before they enter ``state`` until they are stopped, or may go on."""
    assert state in definition["States"]
    return Halting(definition, state)


def without_people(definition: Definition) -> Definition:
    """``definition`` with gates that open by themselves."""
    changed = copy.deepcopy(definition)
    for name, one in changed["States"].items():
        if "waitForTaskToken" in one.get("Resource", ""):
            changed["States"][name] = {"Type": "Pass", "Next": one["Next"]}
    return changed


def without_keys(definition: Definition) -> Definition:
    """``definition`` for volumes that encrypt themselves."""
    changed = copy.deepcopy(definition)
    for name, one in changed["States"].items():
        if name.startswith("WhichKeyFor"):
            changed["States"][name] = {"Type": "Pass", "Next": one["Default"]}
    return changed


def without_retirement(definition: Definition) -> Definition:
    """``definition`` by which blue is kept for ever."""
    changed = copy.deepcopy(definition)
    changed["States"]["StartRetirement"] = {"Type": "Pass", "Next": changed["States"]["StartRetirement"]["Next"]}
    return changed


def retiring_after(definition: Definition, *, seconds: int) -> Definition:
    """``definition`` by which blue is kept for so long."""
    changed = copy.deepcopy(definition)
    changed["States"]["StartRetirement"]["Parameters"]["Input"]["after_s"] = seconds
    return changed


def without_retries(definition: Definition) -> Definition:
    """``definition`` whose calls are made once."""
    changed = copy.deepcopy(definition)
    for one in changed["States"].values():
        if one.get("Parameters", {}).get("Payload", {}).get("step") == "call":
            one.pop("Retry", None)
    return changed
