"""Policy documents in one form, and as the single permissions that they add up to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlplatform_cdk.assembly.diff.canonical import branches, logic
from mlplatform_cdk.assembly.diff.canonical.covers import covers

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
LIMIT = 50_000  # permissions of one document; beyond, statements are compared as they are


@dataclass(frozen=True, slots=True)
class Permission:
    """One effect for one principal, action and resource under one condition.

    :param principal: such as ``Service:lambda.amazonaws.com``; ``!`` in front: all but that; empty: its holder.
    :param action: in lower case, as case means nothing; ``!`` in front: all but those.
    :param condition: the JSON of the condition block; empty: none.
    :param when: the JSON of the template's condition under which it is there; empty: always.
    """

    effect: str
    principal: str
    action: str
    resource: str
    condition: str = ""
    when: str = ""


def is_policy(value: Any) -> bool:
    """Whether that is a policy document."""
    if not isinstance(value, dict) or "Statement" not in value:
        return False
    statements = [one for _, one in branches.members(value["Statement"])]
    return bool(statements) and all(isinstance(one, dict) and "Effect" in one for one in statements)


def normal(policy: dict[str, Any]) -> dict[str, Any]:
    """The document with its lists sorted, single values as lists, and its statements in an order of their own."""
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return {**policy, "Statement": sorted((_statement(one) for one in statements), key=text)}


def settled(value: Any) -> Any:
    """A value with every document in it in its one form, also where that is one only in this case."""
    if isinstance(value, list):
        return [settled(one) for one in value]
    if not isinstance(value, dict):
        return value
    return normal(value) if is_policy(value) else {name: settled(member) for name, member in value.items()}


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
    for permission in itertools.islice(of_document(policy), LIMIT):
        found.add(permission)
    return combined(found) if len(found) < LIMIT else None


def combined(every: Iterable[Permission]) -> frozenset[Permission]:
    """The permissions, each once: under one condition of the template or another."""
    tests: dict[Permission, list[Any]] = {}
    for one in every:
        tests.setdefault(replace(one, when="") if one.when else one, []).append(_test(one.when))
    return frozenset(under(one, (logic.connected("Fn::Or", those),)) for one, those in tests.items())


def of_document(policy: Mapping[str, Any], tests: branches.Tests = ()) -> Iterator[Permission]:
    """The permissions of every statement, in all cases of the template's conditions."""
    for under, statement in branches.members(policy["Statement"], tests):
        yield from of_statement(statement, under)


def of_statement(statement: Mapping[str, Any], tests: branches.Tests = ()) -> Iterator[Permission]:
    """The permissions of one statement in its one form, where those tests of the template hold."""
    names = branches.comparisons(statement)
    if not names:
        yield from (under(one, tests) for one in _plain(statement))
        return
    every, seen = list(logic.worlds(names)), dict[Permission, list[Any]]()
    for world in every:
        facts = [json.loads(name) if truth else logic.negated(json.loads(name)) for name, truth in world.items()]
        made = _statement(branches.resolved(statement, world))
        for one in _plain(made) if "Effect" in made else ():
            seen.setdefault(one, []).append(logic.connected("Fn::And", facts))
    for one, cases in seen.items():
        always = len(cases) == len(every) or len(names) > logic.MOST  # of many, not every case was looked at
        inside = always or logic.connected("Fn::Or", cases)
        yield under(one, (*tests, inside))


def under(permission: Permission, tests: branches.Tests) -> Permission:
    """The permission where all those tests of the template hold."""
    test = logic.connected("Fn::And", tests)
    return permission if test is True else replace(permission, when=text(test))


def _test(when: str) -> Any:
    return json.loads(when) if when else True


def _plain(statement: Mapping[str, Any]) -> Iterator[Permission]:
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
        return ["!" + ",".join(sorted(_word(action).lower() for action in statement["NotAction"]))]
    return [_word(action).lower() for action in statement.get("Action", [])]


def _either(statement: Mapping[str, Any], name: str) -> list[str]:
    if f"Not{name}" in statement:
        return ["!" + ",".join(map(_word, statement[f"Not{name}"]))]
    return list(map(_word, statement.get(name, [])))


def _principals(statement: Mapping[str, Any], name: str) -> list[str]:
    given = statement.get(name, {})
    return [f"{kind}:{one}" if one != "*" else "*" for kind, those in given.items() for one in those]


def _statement(statement: Any) -> Any:
    """The statement, or each that there may be."""
    if branches.is_if(statement):
        test, *both = statement["Fn::If"]
        return {"Fn::If": [test, *map(_statement, both)]}
    if isinstance(statement, list):
        return sorted(map(_statement, statement), key=text)
    return _ordered(dict(statement)) if isinstance(statement, dict) else statement


def _ordered(made: dict[str, Any]) -> dict[str, Any]:
    for name in _LISTS:
        if name in made:
            made[name] = _sorted(map(_words, _listed(made[name])))
    for name in ("Principal", "NotPrincipal"):
        if name in made:
            made[name] = branches.each(made[name], _named)
    if "Condition" in made:
        made["Condition"] = branches.each(made["Condition"], _condition)
        if not made["Condition"]:
            del made["Condition"]
    return made


def _named(principals: Any) -> dict[str, Any]:
    given = principals if isinstance(principals, dict) else {"AWS": principals}
    return {kind: _sorted(map(_principal, _listed(those))) for kind, those in given.items()}


def _condition(block: Any) -> Any:
    """Keys are equal in any case, and a single value is a list of one."""
    if not isinstance(block, dict):
        return block
    return {operator: branches.each(tests, _lowered) for operator, tests in block.items()}


def _lowered(tests: Any) -> Any:
    if not isinstance(tests, dict):
        return tests
    return {key.lower(): _sorted(map(_words, _listed(values))) for key, values in tests.items()}


def _principal(one: Any) -> Any:
    """An account is its root user."""
    words = _words(one)
    if not isinstance(words, str):
        return words
    if words == "${AWS::AccountId}" or (words.isdigit() and len(words) == 12):  # noqa: PLR2004 -- an account has twelve digits
        return f"arn:${{AWS::Partition}}:iam::{words}:root"
    return words


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _sorted(values: Iterable[Any]) -> list[Any]:
    """Each once, in an order of their own."""
    every = {_word(one): one for one in values}
    return [every[name] for name in sorted(every)]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else text(value)


def _words(value: Any) -> Any:
    if branches.is_if(value):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _word(value)


def text(value: Any) -> str:
    """The value as text that sorts and compares."""
    return json.dumps(value, sort_keys=True)
