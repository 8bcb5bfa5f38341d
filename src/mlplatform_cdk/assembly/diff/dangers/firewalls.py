"""Web ACLs that let more through, or no longer stand before what they stood before."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

_ACLS = {"AWS::WAF::WebACL", "AWS::WAFRegional::WebACL", "AWS::WAFv2::RuleGroup", "AWS::WAFv2::WebACL"}
_ASSOCIATIONS = {"AWS::WAFRegional::WebACLAssociation", "AWS::WAFv2::WebACLAssociation"}
_ACTIONS = {"Action", "DefaultAction"}
_NAMED = re.compile(r"\$\{(\w+)")


def unshielded(stack: StackDiff) -> Iterator[Finding]:
    """What a web ACL kept out before the changes of ``stack``."""
    if stack.after is None:
        return
    for change in stack.changes:
        if change.after is not None and change.resource.type in _ACLS:
            for one in change.properties:
                yield from judged(change, one, partial(_let_through, stack, change))
    moves = {change.resource.logical_id for change in stack.changes if change.counterpart is not None}
    shielded = _shielded(stack.resources_after)
    for target, association in _shielded(stack.resources_before).items():
        if target not in shielded and association.logical_id not in moves and _stays(stack, target):
            message = f"no web ACL stands before {target} any more"
            yield _opened(stack, association, None, message, "keep the association, or make another in its place")


def _shielded(resources: Mapping[str, Resource]) -> dict[str, Resource]:
    """What is behind a web ACL, to the association that says so."""
    every = (one for one in resources.values() if one.type in _ASSOCIATIONS)
    return {str(one.properties.get("ResourceArn", "")): one for one in every}


def _stays(stack: StackDiff, target: str) -> bool:
    """Whether what the ACL stood before is still there, as far as this stack knows."""
    named = [name for name in _NAMED.findall(target) if name in stack.resources_before]
    return all(name in stack.resources_after for name in named)


def _let_through(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    if _ACTIONS.isdisjoint(one.path) or not _blocks(one.before) or one.after is None or _blocks(one.after):
        return
    message = f"{change.resource.type}: {one.name} goes from {shown(one.before)} to {shown(one.after)}"
    yield _opened(stack, change.resource, one, message, "keep Block, and allow by rules what may come in")


def _blocks(action: Any) -> bool:
    """Of WAFv2 the action is a member's name, of the older WAF the value of ``Type``."""
    return "Block" in action or action.get("Type") == "BLOCK" if isinstance(action, dict) else action == "BLOCK"


def _opened(stack: StackDiff, resource: Resource, one: PropertyChange | None, message: str, way_out: str) -> Finding:
    return danger(
        "network-exposed",
        Severity.ERROR,
        message,
        stack=stack,
        resource=resource,
        change=one,
        reason="requests come through that the web ACL kept out before",
        way_out=way_out,
    )
