"""One stack before and after: what is added, removed, replaced, moved or changed, and what follows from that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import Forms, resources
from mlplatform_cdk.assembly.diff.model import Action, PropertyChange, ResourceChange, SectionChange, StackDiff
from mlplatform_cdk.assembly.diff.moves import renamed
from mlplatform_cdk.assembly.diff.properties import changed_properties, differences, effects, members
from mlplatform_cdk.assembly.diff.schemas import Effect, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.sources import Source

_ORDER = list(Action)


def compare_stacks(before: Source | None, after: Source | None) -> StackDiff:
    """The difference of two stacks, or of one that comes or goes."""
    new = resources(after, Forms(after)) if after else {}
    old = resources(before, Forms(before)) if before else {}
    moved = renamed(
        [one for name, one in old.items() if name not in new], [one for name, one in new.items() if name not in old]
    )
    if before and moved:
        old = resources(before, Forms(before, moved))
    assets = (before.assets if before else frozenset()) | (after.assets if after else frozenset())
    back = {fresh: name for name, fresh in moved.items()}
    read = before.nested.keys() & after.nested.keys() if before and after else set()
    changes = [
        change
        for name in sorted(old.keys() | new.keys())
        if (change := _change(old.get(name), new.get(name), back.get(name), assets, read=name in read))
    ]
    return StackDiff(
        before=before,
        after=after,
        resources_before=old,
        resources_after=new,
        changes=tuple(sorted(_following(changes, old, new), key=_order)),
        sections=tuple(_sections(before, after, moved)) if before and after else (),
        moved=moved,
    )


def _order(change: ResourceChange) -> tuple[int, str]:
    return _ORDER.index(change.action), change.resource.logical_id


def _change(
    old: Resource | None, new: Resource | None, previous_id: str | None, assets: frozenset[str], *, read: bool
) -> ResourceChange | None:
    if old is None or new is None:
        return ResourceChange(action=Action.REMOVED if old else Action.ADDED, before=old, after=new)
    found = changed_properties(old, new, assets)
    if read:
        found = tuple(one for one in found if one.leaf != "TemplateURL")  # its content is compared itself
    if previous_id is not None:
        old = replace(old, logical_id=previous_id)
        return ResourceChange(action=Action.MOVED, before=old, after=new, properties=found)
    if old.type != new.type:
        because = f"its type changes from {old.type}; CloudFormation refuses that under one logical id"
        return ResourceChange(action=Action.REPLACED, before=old, after=new, properties=found, because=because)
    if not found:
        return None
    return ResourceChange(action=_action(found), before=old, after=new, properties=found)


def _action(found: tuple[PropertyChange, ...]) -> Action:
    done = effects(found)
    if Effect.REPLACE in done:
        return Action.REPLACED
    return Action.MAY_BE_REPLACED if Effect.MAY_REPLACE in done else Action.CHANGED


def _following(
    changes: list[ResourceChange], old: Mapping[str, Resource], new: Mapping[str, Resource]
) -> list[ResourceChange]:
    """With those that are replaced because a property that they cannot change names a resource made anew."""
    known = {change.resource.logical_id: change for change in changes}
    waiting = [name for name, change in known.items() if change.made_anew]
    while waiting:
        cause = known[waiting.pop(0)]
        for name, resource in new.items():
            follower = known.get(name)
            if name not in old or not _follows(cause.resource, resource, follower):
                continue
            known[name] = ResourceChange(
                action=Action.REPLACED,
                before=old[name],
                after=resource,
                properties=follower.properties if follower else (),
                because=f"it names {cause.resource.logical_id}, which is made anew",
            )
            waiting.append(name)
    return list(known.values())


def _follows(cause: Resource, resource: Resource, own: ResourceChange | None) -> bool:
    """Whether the resource has to be replaced because of ``cause``, and was not going to be."""
    if cause.logical_id == resource.logical_id or cause.logical_id not in resource.references:
        return False
    if own is not None and own.action not in {Action.CHANGED, Action.MAY_BE_REPLACED}:
        return False
    schema = schema_of(resource.type, resource.region)
    mark = f"${{{cause.logical_id}"
    return any(_names(resource.properties, path, mark) for path in schema.replacing_properties())


def _names(value: Any, path: tuple[str, ...], mark: str) -> bool:
    if not path:
        return f"{mark}}}" in str(value) or f"{mark}." in str(value)
    if isinstance(value, list):
        return any(_names(one, path[1:] if path[0] == "*" else path, mark) for one in value)
    if isinstance(value, dict):
        members = value.values() if path[0] == "*" else [value[path[0]]] if path[0] in value else []
        return any(_names(one, path[1:], mark) for one in members)
    return False


def _sections(before: Source, after: Source, moved: Mapping[str, str]) -> Iterator[SectionChange]:
    forms = (Forms(before, moved), Forms(after))
    for section in ("Parameters", "Outputs", "Rules", "Transform", "Hooks", "Description"):
        old, new = (form.value(one.template.get(section)) for form, one in zip(forms, (before, after), strict=True))
        if section == "Parameters":
            old, new = (_told(one) for one in (old, new))
        both = isinstance(old or {}, dict) and isinstance(new or {}, dict)
        for change in members((), old or {}, new or {}) if both else differences((), old, new):
            name = ".".join(change.path)
            yield SectionChange(section=section, name=name, before=change.before, after=change.after)
    old, new = (
        {name: form.value(loop) for name, loop in one.loops.items()}
        for form, one in zip(forms, (before, after), strict=True)
    )
    for change in members((), old, new):
        yield SectionChange(section="Loops", name=".".join(change.path), before=change.before, after=change.after)
    if before.parent is None:
        yield from _settings(before, after)


def _told(parameters: Any) -> dict[str, Any]:
    """Without those that CDK makes to read an SSM parameter: their value stands where they are used."""
    every = parameters if isinstance(parameters, dict) else {}
    return {
        name: one for name, one in every.items() if not str(one.get("Type")).startswith("AWS::SSM::Parameter::Value")
    }


def _settings(before: Source, after: Source) -> Iterator[SectionChange]:
    identity = (
        ("StackName", before.name, after.name),
        ("Account", before.account, after.account),
        ("Region", before.region, after.region),
    )
    for name, old, new in (
        *(() if before.foreign else identity),
        ("TerminationProtection", before.termination_protection, after.termination_protection),
        ("Tags", dict(before.tags), dict(after.tags)),
    ):
        if old != new:
            yield SectionChange(section="Stack", name=name, before=old, after=new)
