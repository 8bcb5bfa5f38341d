"""A block of properties that comes, goes or is exchanged as a whole: what stands in it comes or goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlplatform_cdk.assembly.diff.model import PropertyChange, ResourceChange
    from mlplatform_cdk.assembly.findings import Finding

_OWN = "Lifecycle"  # of a rule that comes: what it makes is its own, and ends with it


def judged(
    change: ResourceChange, one: PropertyChange, judge: Callable[[PropertyChange], Iterator[Finding]]
) -> Iterator[Finding]:
    """The findings of one property; where it has none, those of the members of its block."""
    found = list(judge(one))
    yield from found
    for member in () if found else _members(change, one):
        yield from judged(change, member, judge)


def _members(change: ResourceChange, one: PropertyChange) -> Iterator[PropertyChange]:
    """Its members; not those of an element that goes from a list: with it goes what they were about."""
    if change.before and _is_at(change.before.properties, one.path[1:], one.before):
        for name, member in _named(one.before):
            yield replace(one, path=(*one.path, name), before=member, after=None)
    if change.after and _is_at(change.after.properties, one.path[1:], one.after, coming=True):
        for name, member in (*_named(one.after), *_elements(one.after)):
            if name != _OWN or not one.path[-1].isdigit():
                yield replace(one, path=(*one.path, name), before=None, after=member)


def _is_at(value: Any, path: tuple[str, ...], block: Any, *, coming: bool = False) -> bool:
    """Whether the block stands there whole, in whichever element of the lists on the way."""
    if not path:
        return value is not None and value == block
    if isinstance(value, dict):
        return path[0] in value and _is_at(value[path[0]], path[1:], block, coming=coming)
    if not isinstance(value, list) or (len(path) == 1 and not coming):
        return False
    return any(_is_at(one, path[1:], block, coming=coming) for one in value)


def _named(block: Any) -> Iterator[tuple[str, Any]]:
    """Members with names: of a mapping, or of a list of keys with values."""
    if isinstance(block, dict):
        yield from block.items()
    for one in block if isinstance(block, list) else ():
        if _is_pair(one):
            yield str(one["Key"]), one


def _elements(block: Any) -> Iterator[tuple[str, Any]]:
    """What a list consists of, where that has members itself."""
    for index, one in enumerate(block if isinstance(block, list) else ()):
        if isinstance(one, dict) and not _is_pair(one):
            yield str(index), one


def _is_pair(one: Any) -> bool:
    return isinstance(one, dict) and one.keys() == {"Key", "Value"}
