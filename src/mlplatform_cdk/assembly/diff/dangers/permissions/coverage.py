"""Whether what was allowed covers what is allowed now, and where it does not, in which way it grew."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical.covers import covers, matches, tests
from mlplatform_cdk.assembly.diff.canonical.logic import implies
from mlplatform_cdk.assembly.diff.canonical.policies import combined

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
    allowed = [one for one in combined(old) if one.effect == "Allow"]
    denied = [one for one in combined(new) if one.effect == "Deny"]
    found = {
        one: growth(one, allowed)
        for one in new - old
        if one.effect == "Allow" and not any(covers(mine, one) for mine in allowed)
    }
    lost = [one for one in old - new if one.effect == "Deny" and not any(covers(mine, one) for mine in denied)]
    return {**found, **dict.fromkeys(lost, Growth.DENIAL)}


def growth(new: Permission, allowed: Collection[Permission]) -> Growth:
    """In which way ``new`` goes beyond what is ``allowed``, by its nearest neighbour there."""
    near = [one for one in allowed if matches(one.principal, new.principal)]
    acting = [one for one in near if matches(one.action, new.action)]
    if here := [one for one in acting if matches(one.resource, new.resource)]:
        loosened = all(_weaker(one, new) for one in here)
        return Growth.CONDITION if loosened else Growth.OTHER_CONDITION
    if any(matches(new.resource, one.resource) for one in acting):
        return Growth.RESOURCE
    if acting:
        return Growth.OTHER_RESOURCE
    if any(matches(one.resource, new.resource) for one in near):
        return Growth.ACTION
    if any(matches(one.action, new.action) and matches(one.resource, new.resource) for one in allowed):
        return Growth.PRINCIPAL
    return Growth.ALL


def _weaker(old: Permission, new: Permission) -> bool:
    """Whether less has to hold for ``new``: of the template's conditions, or else of its own."""
    if not implies(new.when, old.when) and old.condition in {"", new.condition}:
        return implies(old.when, new.when)
    return _loosened(old.condition, new.condition)


def _loosened(old: str, new: str) -> bool:
    """Whether a test of ``old`` is gone, or lets in more beside what it let in."""
    if not new:
        return True
    before, after = ({key: values for (_, key), values in tests(one).items()} for one in (old, new))
    return any(key not in after or _includes(after[key], values) for key, values in before.items())


def _includes(new: Any, old: Any) -> bool:
    """Whether the values have grown: each old one matches one of the new, and they are not the same."""
    if new == old or not isinstance(new, list) or not isinstance(old, list):
        return False
    return all(any(matches(str(one), str(value)) for one in new) for value in old)
