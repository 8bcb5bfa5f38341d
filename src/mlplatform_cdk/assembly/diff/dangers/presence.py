"""What may go by a condition of the template: a resource that is there no longer in every case in which it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.canonical import logic
from mlplatform_cdk.assembly.diff.dangers.kinds import ADDRESSES, stateful
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import Action, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def conditional(stack: StackDiff) -> Iterator[Finding]:
    """Data and addresses of ``stack`` that a condition may take away."""
    for change in stack.changes:
        if change.action is not Action.CHANGED or not _may_go(change):
            continue
        kind = change.resource.type
        if kind in stateful():
            yield _data(stack, change, stateful()[kind])
        if kind in ADDRESSES:
            reason = "where the condition does not hold, whoever calls it finds nothing there"
            yield _finding(stack, change, "endpoint-replaced", f"the {ADDRESSES[kind]}", reason)


def _may_go(change: ResourceChange) -> bool:
    """Whether the condition before does not imply the one after."""
    old, new = (one.attributes.get("Condition") if one else None for one in (change.before, change.after))
    return new is not None and not logic.implies("" if old is None else logic.text(old), logic.text(new))


def _data(stack: StackDiff, change: ResourceChange, held: str) -> Finding:
    assert change.before is not None
    policy = str(change.before.attributes["DeletionPolicy"])
    if policy == "Delete":
        return _finding(stack, change, "data-lost", change.resource.type, f"its policy is Delete; lost then: {held}")
    reason = f"its policy is {policy}: what stays then is billed and outside any stack"
    return _finding(stack, change, "data-orphaned", change.resource.type, reason)


def _finding(stack: StackDiff, change: ResourceChange, rule: str, what: str, reason: str) -> Finding:
    test = shown(change.resource.attributes["Condition"])
    return danger(
        rule,
        Severity.WARNING,
        f"{what} may be removed: it is there only where {test}",
        stack=stack,
        resource=change.resource,
        change=next((one for one in change.properties if one.path[:1] == ("Condition",)), None),
        reason=reason,
        way_out="keep the condition that it had, or see that it holds wherever the stack is deployed",
    )
