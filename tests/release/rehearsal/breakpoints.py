"""A state machine that stops where a test wants it to, and waits there to be ended."""

import copy
from typing import Any

BREAKPOINT = "Breakpoint"
_A_DAY, _A_WHILE = 86_400, 300

Definition = dict[str, Any]


def pausing_at(definition: Definition, state: str) -> Definition:
    """``definition``, whose executions wait for some seconds of the rehearsal before they enter ``state``."""
    return stopping_at(definition, state, seconds=_A_WHILE)


def stopping_at(definition: Definition, state: str, *, seconds: int = _A_DAY) -> Definition:
    """``definition``, whose executions wait before they enter ``state``.

    :param definition: Amazon States Language.
    :param state: one of its states.
    :param seconds: for how long; default: until somebody stops them.
    """
    changed = copy.deepcopy(definition)
    if changed["StartAt"] == state:
        changed["StartAt"] = BREAKPOINT
    for one in changed["States"].values():
        for place in (one, *one.get("Choices", ()), *one.get("Catch", ())):
            for key in ("Next", "Default"):
                if place.get(key) == state:
                    place[key] = BREAKPOINT
    changed["States"][BREAKPOINT] = {"Type": "Wait", "Seconds": seconds, "Next": state}
    return changed


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
