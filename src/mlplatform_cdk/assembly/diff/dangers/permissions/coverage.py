"""Whether what was allowed covers what is allowed now, and where it does not, in which way it grew."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlplatform_cdk.assembly.diff.canonical.policies import Permission


class Growth(StrEnum):
    """In which way a permission is new."""

    CONDITION = "a condition is dropped or loosened"
    OTHER_CONDITION = "under another condition"
    RESOURCE = "a wider resource"
    OTHER_RESOURCE = "a new resource"
    ACTION = "a new action"
    PRINCIPAL = "a new principal"
    ALL = "a new permission"
    DENIAL = "a denial is dropped"


def grown(before: Collection[Permission], after: Collection[Permission]) -> dict[Permission, Growth]:
    """The permissions after that nothing before covers, and the denials before that nothing after covers."""
    old, new = (frozenset(side) for side in (before, after))
    allowed = [one for one in old if one.effect == "Allow"]
    denied = [one for one in new if one.effect == "Deny"]
    found = {
        one: growth(one, allowed)
        for one in new - old
        if one.effect == "Allow" and not any(covers(mine, one) for mine in allowed)
    }
    lost = [one for one in old - new if one.effect == "Deny" and not any(covers(mine, one) for mine in denied)]
    return {**found, **dict.fromkeys(lost, Growth.DENIAL)}


def covers(mine: Permission, other: Permission) -> bool:
    """Whether ``mine`` includes ``other``."""
    return (
        _matches(mine.principal, other.principal)
        and _matches(mine.action, other.action)
        and _matches(mine.resource, other.resource)
        and _loosens(mine.condition, other.condition)
    )


def growth(new: Permission, allowed: Collection[Permission]) -> Growth:
    """In which way ``new`` goes beyond what is ``allowed``, by its nearest neighbour there."""
    near = [one for one in allowed if _matches(one.principal, new.principal)]
    acting = [one for one in near if _matches(one.action, new.action)]
    if here := [one for one in acting if _matches(one.resource, new.resource)]:
        loosened = all(_loosened(one.condition, new.condition) for one in here)
        return Growth.CONDITION if loosened else Growth.OTHER_CONDITION
    if any(_matches(new.resource, one.resource) for one in acting):
        return Growth.RESOURCE
    if acting:
        return Growth.OTHER_RESOURCE
    if any(_matches(one.resource, new.resource) for one in near):
        return Growth.ACTION
    if any(_matches(one.action, new.action) and _matches(one.resource, new.resource) for one in allowed):
        return Growth.PRINCIPAL
    return Growth.ALL


def _matches(pattern: str, text: str) -> bool:
    """Whether all that ``text`` stands for, wildcards included, is in ``pattern``."""
    if pattern in {text, "*"}:
        return True
    if pattern.startswith("!"):
        named = pattern[1:].split(",")
        if text.startswith("!"):
            return set(named) <= set(text[1:].split(","))
        return not any(_matches(one, text) or _matches(text, one) for one in named)
    return not text.startswith("!") and bool(_expression(pattern).fullmatch(text))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in re.split(r"([*?])", pattern)), re.DOTALL)


def _loosens(mine: str, other: str) -> bool:
    """Whether every request that meets the condition ``other`` meets ``mine``."""
    if mine in {"", other}:
        return True
    if not other:
        return False
    wanted, given = _tests(mine), _tests(other)
    return all(key in given and _wider(key[0], values, given[key]) for key, values in wanted.items())


def _loosened(old: str, new: str) -> bool:
    """Whether a test of ``old`` is gone, or lets in more beside what it let in."""
    if not new:
        return True
    before, after = ({key: values for (_, key), values in _tests(one).items()} for one in (old, new))
    return any(key not in after or _includes(after[key], values) for key, values in before.items())


def _includes(new: Any, old: Any) -> bool:
    """Whether the values have grown: each old one matches one of the new, and they are not the same."""
    if new == old or not isinstance(new, list) or not isinstance(old, list):
        return False
    return all(any(_matches(str(one), str(value)) for one in new) for value in old)


def _wider(operator: str, mine: Any, other: Any) -> bool:
    if not isinstance(mine, list) or not isinstance(other, list):
        return bool(mine == other)
    return set(other) >= set(mine) if "Not" in operator else set(other) <= set(mine)


@cache
def _tests(condition: str) -> dict[tuple[str, str], Any]:
    block = json.loads(condition)
    return {
        (operator, key): values
        for operator, tests in block.items()
        for key, values in (tests.items() if isinstance(tests, dict) else [("", tests)])
    }
