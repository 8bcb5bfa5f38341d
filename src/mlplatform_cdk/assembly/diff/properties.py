"""Which properties of a resource differ, and what each difference does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import policies
from mlplatform_cdk.assembly.diff.model import PropertyChange
from mlplatform_cdk.assembly.diff.schemas import Effect, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlplatform_cdk.assembly.diff.canonical import Resource

_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def changed_properties(before: Resource, after: Resource, assets: frozenset[str]) -> tuple[PropertyChange, ...]:
    """Everything that differs between two resources of one type.

    :param assets: hashes of assets' content, of both sides.
    """
    schema = schema_of(after.type, after.region)
    found = [
        replace(
            change,
            effect=Effect.HANDLER if after.is_custom else schema.effect(change.path, change.before, change.after),
            path=("Properties", *change.path),
            asset=_only_hash(change, assets),
        )
        for change in members((), before.properties, after.properties)
    ]
    return (*found, *members((), before.attributes, after.attributes))


def members(path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PropertyChange]:
    """The smallest values that differ below ``path``, member by member."""
    for name in sorted(before.keys() | after.keys()):
        yield from differences((*path, name), before.get(name), after.get(name))


def differences(path: tuple[str, ...], before: Any, after: Any) -> Iterator[PropertyChange]:
    """The smallest values that differ below ``path``."""
    if before == after:
        return
    if policies.is_policy(before) and policies.is_policy(after):
        yield from _policy(path, before, after)
    elif isinstance(before, dict) and isinstance(after, dict) and before.keys() & after.keys():
        yield from members(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after)
    else:
        yield PropertyChange(path=path, before=before, after=after)


def _policy(path: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[PropertyChange]:
    if policies.same(before, after):
        return
    for name in sorted((before.keys() | after.keys()) - {"Statement"}):
        yield from differences((*path, name), before.get(name), after.get(name))
    stays = policies.permissions({"Statement": [one for one in before["Statement"] if one in after["Statement"]]})
    gone, new = (
        [one for one in mine["Statement"] if one not in theirs["Statement"] and not _covered(one, stays)]
        for mine, theirs in ((before, after), (after, before))
    )
    for index in range(max(len(gone), len(new))):
        old = gone[index] if index < len(gone) else None
        made = new[index] if index < len(new) else None
        yield PropertyChange(path=(*path, "Statement"), before=old, after=made)


def _covered(statement: dict[str, Any], stays: frozenset[policies.Permission] | None) -> bool:
    """Whether what stays says the same already, so that the statement changes nothing."""
    alone = policies.permissions({"Statement": [statement]})
    return stays is not None and alone is not None and policies.includes(stays, alone)


def _lists(path: tuple[str, ...], before: list[Any], after: list[Any]) -> Iterator[PropertyChange]:
    key = _identity(before, after)
    if key is not None:
        mine, theirs = ({key(one): one for one in side} for side in (before, after))
        for name in dict.fromkeys([*mine, *theirs]):
            yield from differences((*path, name), mine.get(name), theirs.get(name))
        if mine == theirs:
            yield PropertyChange(path=path, before=list(mine), after=list(theirs))  # only their order differs
        return
    texts = [[json.dumps(one, sort_keys=True) for one in side] for side in (before, after)]
    for operation, i, j, k, m in SequenceMatcher(a=texts[0], b=texts[1], autojunk=False).get_opcodes():
        if operation == "equal":
            continue
        for index in range(max(j - i, m - k)):
            old = before[i + index] if index < j - i else None
            new = after[k + index] if index < m - k else None
            yield from differences((*path, str((k if new is not None else i) + index)), old, new)


_NAMES = ("Key", "Name", "Id", "Sid", "VariantName", "PolicyName", "AttributeName", "IndexName", "ParameterKey")


def _identity(before: list[Any], after: list[Any]) -> Callable[[Any], str] | None:
    """What names the members of both lists, where something does."""
    every = [*before, *after]
    for name in _NAMES:
        if all(isinstance(one, dict) and isinstance(one.get(name), str) for one in every) and all(
            len({one[name] for one in side}) == len(side) for side in (before, after)
        ):
            return lambda one, name=name: str(one[name])  # type: ignore[misc]
    return None


def _only_hash(change: PropertyChange, assets: frozenset[str]) -> bool:
    """Whether both values are texts that differ in nothing but hashes of known assets."""
    masked = [_masked(value, assets) for value in (change.before, change.after)]
    return masked[0] is not None and masked[0] == masked[1]


def _masked(value: Any, assets: frozenset[str]) -> str | None:
    if not isinstance(value, str):
        return None
    return _HASH.sub(lambda match: "<asset>" if match[0] in assets else match[0], value)


def effects(changes: Sequence[PropertyChange]) -> set[Effect]:
    """What the changes do."""
    return {change.effect for change in changes}
