"""A block of properties that comes, goes or is exchanged as a whole: what stands in it comes or goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.model import PropertyChange, ResourceChange
    from mlplatform_cdk.assembly.findings import Finding


def judged(
    change: ResourceChange, one: PropertyChange, judge: Callable[[PropertyChange], Iterator[Finding]]
) -> Iterator[Finding]:
    """The findings of one property; where it has none, those of the members of its block."""
    found = list(judge(one))
    yield from found
    for member in () if found else _members(change, one):
        yield from judged(change, member, judge)


def _members(change: ResourceChange, one: PropertyChange) -> Iterator[PropertyChange]:
    """Its members, but not those of an element of a list: with it goes what they were about."""
    if change.before and _is_at(change.before, one.path, one.before):
        for name, member in _named(one.before):
            yield replace(one, path=(*one.path, name), before=member, after=None)
    if change.after and _is_at(change.after, one.path, one.after):
        for name, member in _named(one.after):
            yield replace(one, path=(*one.path, name), before=None, after=member)


def _is_at(resource: Resource, path: tuple[str, ...], block: Any) -> bool:
    found: Any = {"Properties": resource.properties}
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None and found == block


def _named(block: Any) -> Iterator[tuple[str, Any]]:
    """Members with names: of a mapping, or of a list of keys with values."""
    if isinstance(block, dict):
        yield from block.items()
    for one in block if isinstance(block, list) else ():
        if isinstance(one, dict) and one.keys() == {"Key", "Value"}:
            yield str(one["Key"]), one
