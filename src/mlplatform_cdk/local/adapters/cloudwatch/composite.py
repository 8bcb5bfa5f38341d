"""The rules of composite alarms: ``ALARM(a) AND NOT (OK("b") OR INSUFFICIENT_DATA(c))``. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\(\s*(?P<alarm>\"[^\"]+\"|'[^']+'|[^\s()]+)\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))"
)


class BrokenRule(ValueError):
    """A rule that cannot be read."""


def holds(rule: str, state_of: Callable[[str], str | None]) -> bool:
    """Whether ``rule`` is true now.

    :param rule: AlarmRule.
    :param state_of: the state of an alarm by its name; None where there is none such.
    :raises BrokenRule: when it cannot be read.
    """
    tokens: list[str | bool] = []
    place, text = 0, rule.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise BrokenRule(f"the rule of a composite alarm must be read from {text[place:]!r} on, and cannot be")
        named = match["alarm"]
        if match["state"]:
            tokens.append(state_of(named.strip("\"'").rpartition(":")[2]) == match["state"])
        else:
            tokens.append({"TRUE": True, "FALSE": False}.get(match["word"], match["word"]))
        place = match.end()
    value, left = _either(tokens)
    if left:
        raise BrokenRule(f"the rule {rule!r} must end before {left[0]!r}")
    return value


def _either(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    value, left = _both(tokens)
    while left[:1] == ["OR"]:
        other, left = _both(left[1:])
        value = value or other
    return value, left


def _both(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    value, left = _one(tokens)
    while left[:1] == ["AND"]:
        other, left = _one(left[1:])
        value = value and other
    return value, left


def _one(tokens: list[str | bool]) -> tuple[bool, list[str | bool]]:
    if not tokens:
        raise BrokenRule("the rule of a composite alarm ends too early")
    first, *rest = tokens
    if isinstance(first, bool):
        return first, rest
    if first == "NOT":
        value, left = _one(rest)
        return not value, left
    if first == "(":
        value, left = _either(rest)
        if left[:1] != [")"]:
            raise BrokenRule("a bracket in the rule of a composite alarm is not closed")
        return value, left[1:]
    raise BrokenRule(f"the rule of a composite alarm cannot have {first!r} there")
