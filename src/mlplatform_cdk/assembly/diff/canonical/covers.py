"""Whether one permission includes another: by principal, action, resource and condition, wildcards understood."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical.logic import implies

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff.canonical.policies import Permission


def covers(mine: Permission, other: Permission) -> bool:
    """Whether ``mine`` includes ``other``."""
    return (
        matches(mine.principal, other.principal)
        and matches(mine.action, other.action)
        and matches(mine.resource, other.resource)
        and _loosens(mine.condition, other.condition)
        and implies(other.when, mine.when)
    )


def matches(pattern: str, text: str) -> bool:
    """Whether all that ``text`` stands for, wildcards included, is in ``pattern``."""
    if pattern in {text, "*"}:
        return True
    if pattern.startswith("!"):
        if "${Fn::" in pattern:
            return False  # it may hold commas of its own
        named = pattern[1:].split(",")
        if text.startswith("!"):
            return set(named) <= set(text[1:].split(","))
        return not any(matches(one, text) or matches(text, one) for one in named)
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
    wanted, given = tests(mine), tests(other)
    return all(key in given and _wider(key[0], values, given[key]) for key, values in wanted.items())


def _wider(operator: str, mine: Any, other: Any) -> bool:
    if not isinstance(mine, list) or not isinstance(other, list):
        return bool(mine == other)
    wider, narrower = (other, mine) if "Not" in operator else (mine, other)
    if "Like" in operator or "Arn" in operator:
        return all(any(matches(str(pattern), str(one)) for pattern in wider) for one in narrower)
    return set(map(text, narrower)) <= set(map(text, wider))


@cache
def tests(condition: str) -> dict[tuple[str, str], Any]:
    """Operator and key of each test of a condition, to its values."""
    block = json.loads(condition)
    return {
        (operator, key): values
        for operator, keys in (block if isinstance(block, dict) else {"": block}).items()
        for key, values in (keys.items() if isinstance(keys, dict) else [("", keys)])
    }


def text(value: Any) -> str:
    """The value as text that compares."""
    return json.dumps(value, sort_keys=True)
