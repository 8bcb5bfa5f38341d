"""Safety nets that a change takes away: copies elsewhere, dead letters, the wall around a container."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPLICATION = "ReplicationConfiguration"
_DEAD_LETTERS = {"DeadLetterConfig", "RedrivePolicy"}
_PRIVILEGED = {"Privileged", "PrivilegedMode"}
_RULE_DEPTH, _STATUS_DEPTH = 4, 5  # Properties, ReplicationConfiguration, Rules, the rule, its status


def unguarded(stack: StackDiff) -> Iterator[Finding]:
    """The safety nets that the changes of ``stack`` take away."""
    for change in stack.changes:
        if change.before is None or change.after is None:
            continue
        for one in change.properties:
            yield from judged(change, one, partial(_lost, stack, change))


def _lost(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    if _no_copy(one) and not _under_another_id(change, one):
        reason = "what is written from now on has no copy elsewhere, and copies that are there stay as they are"
        yield _net(stack, change, one, reason, "keep it, or say in the acknowledgement where the copy is")
    elif one.leaf in _DEAD_LETTERS and one.after is None:
        reason = "what fails again and again is lost: nothing keeps it for a person to look at"
        yield _net(stack, change, one, reason, f"keep {one.leaf}, with a queue that an alarm watches")
    elif _is_privileged(one.leaf, one.after) and not _is_privileged(one.leaf, one.before):
        reason = "the container is root on its host, and can take the credentials of the host's role"
        yield _net(
            stack, change, one, reason, "build images without a daemon, or give the container the one capability"
        )


def _no_copy(one: PropertyChange) -> bool:
    """Whether replication goes, or one of its rules goes or rests."""
    if one.leaf == _REPLICATION:
        return one.after is None
    if one.path[1:3] != (_REPLICATION, "Rules"):
        return False
    rests = len(one.path) == _STATUS_DEPTH and one.leaf == "Status" and one.after != "Enabled"
    return rests or (len(one.path) <= _RULE_DEPTH and one.after is None)


def _under_another_id(change: ResourceChange, one: PropertyChange) -> bool:
    """Whether a rule that goes is there still, equal but for its name."""
    if len(one.path) != _RULE_DEPTH or change.after is None:
        return False
    rules = (change.after.properties.get(_REPLICATION) or {}).get("Rules") or []
    return any(_nameless(rule) == _nameless(one.before) for rule in rules)


def _nameless(rule: Any) -> Any:
    return {name: value for name, value in rule.items() if name != "Id"} if isinstance(rule, dict) else rule


def _is_privileged(name: str, value: Any) -> bool:
    """Whether the property is that of a privileged container, or holds one."""
    if isinstance(value, dict):
        return any(_is_privileged(inner, member) for inner, member in value.items())
    if isinstance(value, list):
        return any(_is_privileged(name, member) for member in value)
    return name in _PRIVILEGED and value in ("true", True)


def _net(stack: StackDiff, change: ResourceChange, one: PropertyChange, reason: str, way_out: str) -> Finding:
    return danger(
        "protection-weakened",
        Severity.WARNING,
        f"{one.leaf} goes from {shown(one.before)} to {shown(one.after)}",
        stack=stack,
        resource=change.resource,
        change=one,
        reason=reason,
        way_out=way_out,
    )
