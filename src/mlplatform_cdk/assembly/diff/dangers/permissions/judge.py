"""The findings on permissions: one per statement that grew, with the way in which it did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.canonical.covers import tests
from mlplatform_cdk.assembly.diff.dangers.permissions.coverage import Growth, grown
from mlplatform_cdk.assembly.diff.dangers.permissions.holders import (
    Grant,
    Holder,
    identities,
    resource_policies,
    unwritten,
)
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlplatform_cdk.assembly.diff.canonical.policies import Permission

_POINTERS = {"AWS::Lambda::Alias", "AWS::Lambda::Version"}  # names of a function, which may be older than they are
_MANY = 6  # actions named in one message
_ANYBODYS = {"aws:securetransport", "s3:tlsversion"}  # keys of conditions that anybody can meet
_GRAVE = {Growth.CONDITION, Growth.DENIAL, Growth.RESOURCE}
_WAY_OUT = "name the actions, the resources and the principal that it needs, with the condition that it had"


def permissions(stack: StackDiff) -> Iterator[Finding]:
    """Where somebody may do more than before in ``stack``."""
    if stack.after is None:
        return
    for held in (identities, resource_policies):
        before, after = held(stack.resources_before), held(stack.resources_after)
        before.update(unwritten(after.keys() - before.keys(), stack.resources_before))
        after.update(unwritten(before.keys() - after.keys(), stack.resources_after))
        for holder in sorted(before.keys() | after.keys(), key=lambda one: one.name):
            old, new = before.get(holder, []), after.get(holder, [])
            if not new and not _still_there(old, stack):
                continue
            yield from _judged(stack, holder, old, new)
    yield from _boundaries(stack)


def _still_there(grants: Sequence[Grant], stack: StackDiff) -> bool:
    """Whether what the policies were about outlives them."""
    return any(
        name in stack.resources_after
        for grant in grants
        for name in (*grant.resource.references, grant.resource.logical_id)
    )


def _stood(holder: Holder, stack: StackDiff) -> bool:
    """Whether what may do more was there before: some of it in this stack, or all of it elsewhere."""
    about = set(holder.about)
    for name in holder.about & stack.resources_after.keys():
        if stack.resources_after[name].type in _POINTERS:
            about |= stack.resources_after[name].references
    return bool(about & stack.resources_before.keys()) or not about & stack.resources_after.keys()


def _judged(stack: StackDiff, holder: Holder, old: Sequence[Grant], new: Sequence[Grant]) -> Iterator[Finding]:
    found = grown([grant.permission for grant in old], [grant.permission for grant in new])
    known = bool(old) or _stood(holder, stack)
    groups: dict[tuple[str, str, Growth], list[Grant]] = {}
    for grant in (*new, *old):
        how = found.get(grant.permission)
        if how is not None and (grant.permission.effect == "Deny") == (how is Growth.DENIAL):
            groups.setdefault((grant.resource.logical_id, grant.statement, how), []).append(grant)
    fresh: list[Grant] = []
    for (_, _, how), grants in groups.items():
        if known or _is_public(grants) or (_is_whole(grants) and not grants[0].permission.principal):
            yield _widened(stack, holder, how, grants)
        else:
            fresh.extend(grants)
    if fresh:
        yield _new(stack, fresh)


def _widened(stack: StackDiff, holder: Holder, how: Growth, grants: Sequence[Grant]) -> Finding:
    grave = how in _GRAVE or _is_public(grants) or _is_whole(grants)
    one = grants[0].permission
    who = f" to {_those(grant.permission.principal for grant in grants)}" if one.principal else f" to {holder.name}"
    what = _those(map(_spelled, grants))
    where = f" on {_those(grant.permission.resource for grant in grants)}" if one.resource else ""
    verb = "no longer denies" if how is Growth.DENIAL else "allows"
    return danger(
        "permission-widened",
        Severity.ERROR if grave else Severity.WARNING,
        f"{verb} {what}{where}{who}: {how}",
        stack=stack,
        resource=grants[0].resource,
        reason=_reason(how, grants),
        way_out=_WAY_OUT if how is not Growth.DENIAL else "keep the statement that denies it",
    )


def _reason(how: Growth, grants: Sequence[Grant]) -> str:
    if _is_public(grants):
        return "the principal is *: anybody with an AWS account, or without one"
    if _is_whole(grants):
        return "the action ends in a whole service, today's calls and those to come"
    if how in _GRAVE:
        return f"{how}, so that the statement holds where it did not before"
    return f"{how} that no statement allowed before"


def _new(stack: StackDiff, grants: Sequence[Grant]) -> Finding:
    resource = grants[0].resource
    return danger(
        "permission-new",
        Severity.INFO,
        f"new {resource.type} allows {_those(map(_spelled, grants))}",
        stack=stack,
        resource=resource,
        reason="it comes with its holder, so nobody who was there before may do more",
        way_out="review it as you would any new role",
    )


def _boundaries(stack: StackDiff) -> Iterator[Finding]:
    for change in stack.changes:
        for one in change.properties:
            if one.path == ("Properties", "PermissionsBoundary") and one.before is not None:
                yield danger(
                    "permission-widened",
                    Severity.ERROR if one.after is None else Severity.WARNING,
                    f"the permissions boundary goes from {shown(one.before)} to {shown(one.after)}",
                    stack=stack,
                    resource=change.resource,
                    change=one,
                    reason="what its policies allow beyond the boundary now holds",
                    way_out="keep the boundary",
                )


def _is_public(grants: Iterable[Grant]) -> bool:
    """Whether anybody at all may, under no condition that tells one from another; of a denial, that is no danger."""
    return any(
        grant.permission.effect == "Allow"
        and grant.permission.principal == "*"
        and {key for _, key in tests(grant.permission.condition or "{}")} <= _ANYBODYS
        for grant in grants
    )


def _is_whole(grants: Iterable[Grant]) -> bool:
    return any(_whole(grant.permission) for grant in grants)


def _whole(permission: Permission) -> bool:
    action = permission.action
    return permission.effect == "Allow" and (
        action == "*"
        or action.endswith((":*", "FullAccess", "/AdministratorAccess", "/PowerUserAccess"))
        or action.startswith("!")
    )


def _spelled(grant: Grant) -> str:
    """The action as its author wrote it."""
    match = re.search(rf'"({re.escape(grant.permission.action)})"', grant.statement, re.IGNORECASE)
    return match[1] if match else grant.permission.action


def _those(words: Iterable[str]) -> str:
    every = sorted({word.replace("!", "all but ", 1) if word.startswith("!") else word for word in words})
    more = f" and {len(every) - _MANY} more" if len(every) > _MANY else ""
    return ", ".join(shown(word, 80) for word in every[:_MANY]) + more
