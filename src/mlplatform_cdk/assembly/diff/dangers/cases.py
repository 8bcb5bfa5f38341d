"""Changes in each case of the template's conditions, so that no danger hides behind an ``Fn::If``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import branches, logic, policies
from mlplatform_cdk.assembly.diff.properties import changed_properties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.model import ResourceChange, StackDiff


def in_each_case(stack: StackDiff) -> StackDiff:
    """The stack with every change that depends on conditions once per case, its values those of the case."""
    return replace(stack, changes=tuple(case for change in stack.changes for case in _cases(change)))


def _cases(change: ResourceChange) -> Iterator[ResourceChange]:
    names = _differing(change.before, change.after)
    every = {name: [one.properties.get(name) for one in (change.before, change.after) if one] for name in names}
    comparisons = branches.comparisons(every)
    if not comparisons:
        yield change
        return
    for world in logic.worlds(comparisons):
        sides = (change.before, change.after)
        if not all(_is_there(one, world) for one in sides if one):
            continue
        before, after = (_in_case(one, names, world) if one else None for one in sides)
        if before is None or after is None:
            yield replace(change, before=before, after=after)
        elif properties := changed_properties(before, after, frozenset()):
            yield replace(change, before=before, after=after, properties=properties)


def _differing(before: Resource | None, after: Resource | None) -> set[str]:
    old, new = (one.properties if one else {} for one in (before, after))
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _is_there(resource: Resource, world: Mapping[str, bool]) -> bool:
    """Whether there can be the resource in that case."""
    test = resource.attributes.get("Condition")
    return test is None or not logic.comparisons(test) <= world.keys() or logic.holds(test, world)


def _in_case(resource: Resource, names: Collection[str], world: Mapping[str, bool]) -> Resource:
    made: dict[str, Any] = {
        name: policies.settled(branches.resolved(value, world)) if name in names else value
        for name, value in resource.properties.items()
    }
    return replace(resource, properties={name: one for name, one in made.items() if one != branches.NO_VALUE})
