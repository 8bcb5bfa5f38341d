"""Policy documents in one form, and as the single permissions that they add up to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.assembly.diff.canonical.covers import covers

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
LIMIT = 50_000  # permissions of one document; beyond, statements are compared as they are


@dataclass(frozen=True, slots=True)
class Permission:
    """One effect for one principal, action and resource under one condition.

    :param principal: such as ``Service:lambda.amazonaws.com``; ``!`` in front: all but that; empty: its holder.
    :param action: in lower case, as case means nothing; ``!`` in front: all but those.
    :param condition: the JSON of the condition block; empty: none.
    """

    effect: str
    principal: str
    action: str
    resource: str
    condition: str = ""


def is_policy(value: Any) -> bool:
    """Whether that is a policy document."""
    if not isinstance(value, dict) or "Statement" not in value:
        return False
    statements = value["Statement"] if isinstance(value["Statement"], list) else [value["Statement"]]
    return bool(statements) and all(isinstance(one, dict) and "Effect" in one for one in statements)


def normal(policy: dict[str, Any]) -> dict[str, Any]:
    """The document with its lists sorted, single values as lists, and its statements in an order of their own."""
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return {**policy, "Statement": sorted((_statement(one) for one in statements), key=text)}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both allow and deny the same, each by its statements together."""
    if one.get("Version") != other.get("Version"):
        return False
    mine, theirs = permissions(one), permissions(other)
    if mine is None or theirs is None:
        return one == other
    return includes(theirs, mine) and includes(mine, theirs)


def includes(whole: Collection[Permission], part: Collection[Permission]) -> bool:
    """Whether each permission in ``part`` is in ``whole``, or covered there by another of its effect."""
    known = frozenset(whole)
    return all(
        any(mine.effect == other.effect and covers(mine, other) for mine in known)
        for other in part
        if other not in known
    )


def permissions(policy: Mapping[str, Any]) -> frozenset[Permission] | None:
    """What the document adds up to; None where that is too much to list."""
    found: set[Permission] = set()
    for statement in policy["Statement"]:
        found.update(itertools.islice(of_statement(statement), LIMIT))
        if len(found) >= LIMIT:
            return None
    return frozenset(found)


def of_statement(statement: Mapping[str, Any]) -> Iterator[Permission]:
    """The permissions of one statement in its one form."""
    resources = _either(statement, "Resource")
    principals = _principals(statement, "Principal")
    if others := _principals(statement, "NotPrincipal"):  # all but the whole list, as with actions
        principals.append("!" + ",".join(sorted(others)))
    conditions = statement.get("Condition")
    for principal, action, resource in itertools.product(principals or [""], _actions(statement), resources or [""]):
        yield Permission(
            effect=str(statement["Effect"]),
            principal=principal,
            action=action,
            resource=resource,
            condition=text(conditions) if conditions else "",
        )


def _actions(statement: Mapping[str, Any]) -> list[str]:
    if "NotAction" in statement:  # means all but the whole list, which therefore stays together
        return ["!" + ",".join(sorted(action.lower() for action in statement["NotAction"]))]
    return [action.lower() for action in statement.get("Action", [])]


def _either(statement: Mapping[str, Any], name: str) -> list[str]:
    if f"Not{name}" in statement:
        return ["!" + ",".join(statement[f"Not{name}"])]
    return list(statement.get(name, []))


def _principals(statement: Mapping[str, Any], name: str) -> list[str]:
    given = statement.get(name, {})
    return [f"{kind}:{one}" if one != "*" else "*" for kind, those in given.items() for one in those]


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    made = dict(statement)
    for name in _LISTS:
        if name in made:
            made[name] = sorted({_words(member) for member in _listed(made[name])})
    for name in ("Principal", "NotPrincipal"):
        if name in made:
            given = made[name] if isinstance(made[name], dict) else {"AWS": made[name]}
            made[name] = {kind: sorted({_principal(one) for one in _listed(those)}) for kind, those in given.items()}
    if isinstance(made.get("Condition"), dict) and "Fn::If" not in made["Condition"]:
        made["Condition"] = _condition(made["Condition"])
        if not made["Condition"]:
            del made["Condition"]
    return made


def _condition(block: dict[str, Any]) -> dict[str, Any]:
    """Keys are equal in any case, and a single value is a list of one."""
    return {
        operator: {key.lower(): sorted({_words(one) for one in _listed(values)}) for key, values in tests.items()}
        if isinstance(tests, dict)
        else tests
        for operator, tests in block.items()
    }


def _principal(one: Any) -> str:
    """An account is its root user."""
    words = _words(one)
    if words == "${AWS::AccountId}" or (words.isdigit() and len(words) == 12):  # noqa: PLR2004 -- an account has twelve digits
        return f"arn:${{AWS::Partition}}:iam::{words}:root"
    return words


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else text(value)


def text(value: Any) -> str:
    """The value as text that sorts and compares."""
    return json.dumps(value, sort_keys=True)
