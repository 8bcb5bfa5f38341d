"""What goes for good: data that is lost or left behind, addresses that change, resources under a new logical id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.dangers.kinds import ADDRESSES, PASSING, stateful
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import Action, Counterpart, ResourceChange, StackDiff
from mlplatform_cdk.assembly.diff.schemas import Effect, schema_of
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.diff.canonical import Resource

STRENGTH = ("Delete", "Snapshot", "RetainExceptOnCreate", "Retain")
_GOING = {Action.REMOVED, Action.REPLACED, Action.MAY_BE_REPLACED, Action.MOVED}
_KEEPS_DATA = "deploy once with RemovalPolicy.RETAIN on it before this change, and move the data by hand"
_MOVES = (
    "cdk refactor moves it as it stands (CloudFormation's stack refactoring), before the deployment; where it cannot: "
    "deploy once with RemovalPolicy.RETAIN, take it out of the first stack, and cdk import it into the second"
)


def departures(stack: StackDiff) -> Iterator[Finding]:
    """The dangers of everything in ``stack`` that goes."""
    if stack.after is None and stack.before is not None and stack.before.parent is None:
        yield _abandoned(stack, "the stack is no longer in the app")
        return
    for section in stack.sections:
        if section.section == "Stack" and section.name in {"StackName", "Account", "Region"}:
            yield _abandoned(stack, f"the stack's {section.name} goes from {section.before} to {section.after}")
    for change in stack.changes:
        if change.action in _GOING and change.before is not None:
            yield from _departure(stack, change, change.before.type)
        if change.action is Action.ADDED and change.counterpart is not None:
            yield _arrival(stack, change, change.counterpart)
        yield from _handled(stack, change)


def _departure(stack: StackDiff, change: ResourceChange, kind: str) -> Iterator[Finding]:
    if change.action in {Action.REPLACED, Action.MAY_BE_REPLACED}:
        yield _replaced(stack, change)
    if kind in stateful():
        yield _data(stack, change)
    if kind in ADDRESSES:
        yield _address(stack, change)
    if change.action is Action.MOVED:
        yield _move(stack, change)


def policy_of(change: ResourceChange) -> str:
    """What happens to the resource that goes: for a replacement the weaker of the policies before and after."""
    assert change.before is not None
    if change.action in {Action.REMOVED, Action.MOVED} or change.after is None:
        return str(change.before.attributes["DeletionPolicy"])
    both = [str(one.attributes["UpdateReplacePolicy"]) for one in (change.before, change.after)]
    return min(both, key=lambda name: STRENGTH.index(name) if name in STRENGTH else 0)


def told(change: ResourceChange) -> str:
    """What happens to it, and what makes it happen."""
    why = change.because or _causes(change)
    match change.action:
        case Action.REMOVED:
            other = change.counterpart
            return (
                f"is removed, and made anew in {other.stack} as {other.resource.logical_id}" if other else "is removed"
            )
        case Action.MOVED:
            assert change.before is not None
            return f"is made anew, as its logical id was {change.before.logical_id}"
        case Action.MAY_BE_REPLACED:
            return f"may be replaced: {why}"
        case _:
            return f"is replaced: {why}"


def _causes(change: ResourceChange) -> str:
    """The properties that replace it for certain; where none does, those that may."""
    certain, possible = (
        ", ".join(one.name for one in change.properties if one.effect is effect)
        for effect in (Effect.REPLACE, Effect.MAY_REPLACE)
    )
    if certain:
        return f"{certain} cannot change in place"
    return f"{possible} cannot always change in place" if possible else ""


def _data(stack: StackDiff, change: ResourceChange) -> Finding:
    assert change.before is not None
    kind = change.before.type
    held, policy = stateful()[kind], policy_of(change)
    if policy == "Delete":
        severity = Severity.WARNING if kind in PASSING or change.action is Action.MAY_BE_REPLACED else Severity.ERROR
        reason = f"its policy is Delete; lost: {held}"
        if kind in {"AWS::S3::Bucket", "AWS::ECR::Repository"}:
            reason += ", unless it is not empty: then the deletion fails, and it stays behind outside the stack"
        rule = "data-lost"
    else:
        severity, rule = Severity.WARNING, "data-orphaned"
        left = "a snapshot stays" if policy == "Snapshot" else "it stays in the account"
        alone = change.action is Action.REMOVED and change.counterpart is None
        begins = "" if alone else ", and the new one begins empty"
        reason = f"its policy is {policy}: {left}, billed and outside any stack{begins}"
    message = f"{kind} {told(change)}"
    return danger(
        rule, severity, message, stack=stack, resource=change.resource, reason=reason, way_out=_way_out(change)
    )


def _address(stack: StackDiff, change: ResourceChange) -> Finding:
    named = ADDRESSES[change.resource.type]
    return danger(
        "endpoint-replaced",
        Severity.WARNING if change.action is Action.MAY_BE_REPLACED else Severity.ERROR,
        f"the {named} {told(change)}",
        stack=stack,
        resource=change.resource,
        reason="whoever calls it fails until the new one stands, and for good where its address changes",
        way_out=f"define a second {named} beside it, let the callers go over, then remove the first"
        if change.action is not Action.MOVED
        else _way_out(change),
    )


def _replaced(stack: StackDiff, change: ResourceChange) -> Finding:
    first = schema_of(change.resource.type, change.resource.region).deletes_first
    return danger(
        "replaced",
        Severity.INFO,
        f"{change.resource.type} {told(change)}",
        stack=stack,
        resource=change.resource,
        reason="CloudFormation deletes it before it makes the new one: it is away in between"
        if first
        else "CloudFormation makes a new one, leads references to it and deletes the old one",
        way_out="keep what replaces it as it was, where that matters",
    )


def _move(stack: StackDiff, change: ResourceChange) -> Finding:
    assert change.before is not None
    clash = _shared_name(change.before, change.resource)
    return danger(
        "moved",
        Severity.WARNING if clash else Severity.INFO,
        f"{change.resource.type} has a new logical id, was {change.before.logical_id}",
        stack=stack,
        resource=change.resource,
        reason=f"CloudFormation makes a second one before it {_left(change)}"
        + (f", and both would be called {clash}" if clash else ""),
        way_out=_way_out(change),
    )


def _left(change: ResourceChange) -> str:
    match policy_of(change):
        case "Delete":
            return "deletes the first"
        case "Snapshot":
            return "deletes the first, of which a snapshot stays"
        case _:
            return "leaves the first in the account, outside of any stack"


def _arrival(stack: StackDiff, change: ResourceChange, other: Counterpart) -> Finding:
    clash = _shared_name(other.resource, change.resource)
    reasons = ["CloudFormation moves nothing by itself: this stack makes a new one"]
    if other.abandoned:
        reasons.append("the old one stays with its stack, which is no longer in the app")
    if other.resource.type in stateful():
        reasons.append(f"it begins empty, without the {stateful()[other.resource.type]} of the old one")
    if clash:
        reasons.append(f"both would be called {clash}, so that it fails while the old one stands")
    held = other.resource.type in stateful()
    return danger(
        "moved-across-stacks",
        Severity.WARNING if clash or held else Severity.INFO,
        f"{change.resource.type} comes from {other.stack}, where it was {other.resource.logical_id}",
        stack=stack,
        resource=change.resource,
        reason="; ".join(reasons),
        way_out=_MOVES,
    )


def _way_out(change: ResourceChange) -> str:
    match change.action:
        case Action.MOVED:
            assert change.before is not None
            return (
                f'construct.node.default_child.override_logical_id("{change.before.logical_id}") keeps it, '
                "or cdk refactor moves it"
            )
        case Action.REMOVED:
            return _MOVES if change.counterpart else _KEEPS_DATA
        case _:
            return f"keep what replaces it as it was, or {_KEEPS_DATA}"


def _shared_name(before: Resource, after: Resource) -> str:
    """The name that both the old and the new resource would have."""
    for path in schema_of(after.type, after.region).replacing_properties():
        name = after.properties.get(path[0])
        chosen = len(path) == 1 and path[0].endswith("Name") and isinstance(name, str) and "${" not in name
        if chosen and name == before.properties.get(path[0]):
            return str(name)
    return ""


def _handled(stack: StackDiff, change: ResourceChange) -> Iterator[Finding]:
    """Custom resources that stand for an endpoint or a domain."""
    for one in change.properties:
        if one.effect is Effect.HANDLER and one.leaf in {"EndpointName", "DomainName"}:
            yield danger(
                "endpoint-replaced",
                Severity.WARNING,
                f"{one.leaf} changes from {one.before} to {one.after}; what that does, its Lambda function decides",
                stack=stack,
                resource=change.resource,
                change=one,
                reason="whoever calls the old name may find nothing there",
                way_out="define a second one beside it, let the callers go over, then remove the first",
            )


def _abandoned(stack: StackDiff, what: str) -> Finding:
    held = [one for one in stack.resources_before.values() if one.type in stateful()]
    assert stack.before is not None
    return danger(
        "stack-abandoned",
        Severity.WARNING,
        f"{what}; it leaves {len(stack.resources_before)} resources, {len(held)} of them with data",
        stack=stack,
        reason="no deployment removes the stack that stands: it stays in the account, billed, and nobody updates it",
        way_out=f"cdk destroy it from the base revision (CloudFormation's name: {stack.before.name}), "
        "or keep its name where it was only renamed",
    )
