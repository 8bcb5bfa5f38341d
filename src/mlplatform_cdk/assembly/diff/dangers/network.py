"""More of the network can reach in, or out, than before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.network_rules import (
    ACL_ENTRY,
    GROUP,
    acl_entry,
    covers,
    meets,
    ports_of,
    reads_before,
    rules_of,
    unwritten,
)
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import Action, PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.diff.canonical import Resource

_EVERYWHERE = {"0.0.0.0/0", "::/0"}
# Leaf name to the values that open; for those who come without it, the opposite is the default.
_DOORS = {
    "AccessControl": {"PublicRead", "PublicReadWrite", "AuthenticatedRead"},
    "AppNetworkAccessType": {"PublicInternetOnly"},
    "AssignPublicIp": {"ENABLED"},
    "AssociatePublicIpAddress": {"true"},
    "AuthType": {"NONE"},
    "AuthorizationType": {"NONE"},
    "DirectInternetAccess": {"Enabled"},
    "EndpointPublicAccess": {"true"},
    "MapPublicIpOnLaunch": {"true"},
    "PublicAccessCidrs": _EVERYWHERE,
    "PubliclyAccessible": {"true"},
    "Scheme": {"internet-facing"},
}
# Type and leaf name to what AWS takes where nothing is said.
_UNSAID = {
    ("AWS::ApiGateway::Method", "AuthorizationType"): "NONE",
    ("AWS::ApiGatewayV2::Route", "AuthorizationType"): "NONE",
    ("AWS::DMS::ReplicationInstance", "PubliclyAccessible"): "true",
    ("AWS::EKS::Cluster", "EndpointPublicAccess"): "true",
    ("AWS::EKS::Cluster", "PublicAccessCidrs"): "0.0.0.0/0",
    ("AWS::ElasticLoadBalancing::LoadBalancer", "Scheme"): "internet-facing",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Scheme"): "internet-facing",
    ("AWS::SageMaker::Domain", "AppNetworkAccessType"): "PublicInternetOnly",
    ("AWS::SageMaker::NotebookInstance", "DirectInternetAccess"): "Enabled",
}
# Leaf name to the values that keep shut.
_LOCKS = {
    "BlockPublicAcls": {"true"},
    "BlockPublicPolicy": {"true"},
    "IgnorePublicAcls": {"true"},
    "RestrictPublicBuckets": {"true"},
    "EnableIAMDatabaseAuthentication": {"true"},
    "EnableNetworkIsolation": {"true"},
    "HttpTokens": {"required"},
    "IamAuthEnabled": {"true"},  # of Neptune
    "MfaConfiguration": {"ON"},
    "Types": {"PRIVATE"},  # of an API's endpoint
    "VpcConfig": set[str](),
    "WebACLId": set[str](),
}
_WAYS_OUT = {
    "AWS::EC2::InternetGateway": "an internet gateway",
    "AWS::EC2::NatGateway": "a NAT gateway",
    "AWS::EC2::VPCPeeringConnection": "a peering connection",
    "AWS::EC2::TransitGatewayAttachment": "a transit gateway",
    "AWS::Lambda::Url": "a function URL",
}


def exposed(stack: StackDiff) -> Iterator[Finding]:
    """What the changes of ``stack`` open."""
    for change in stack.changes:
        yield from _undenied(stack, change)
        if change.after is None:
            continue
        yield from _security_groups(stack, change)
        if change.action is Action.ADDED and change.before is None:
            yield from _new(stack, change.resource)
        for one in change.properties:
            yield from judged(change, one, partial(_opened, stack, change))


def _security_groups(stack: StackDiff, change: ResourceChange) -> Iterator[Finding]:
    """Rules that no rule of before covers; those of a new group count only where they open it to everybody."""
    sides = ((change.before, stack.resources_before), (change.after, stack.resources_after))
    old, new = ([*rules_of(one), *unwritten(one, every.values())] if one else [] for one, every in sides)
    if change.before is None and change.resource.type == ACL_ENTRY:
        if _is_new(stack, str(change.resource.properties.get("NetworkAclId", ""))):
            return  # a list of entries allows no more than none
        old = [rule for one in stack.resources_before.values() if one.type == ACL_ENTRY for rule in rules_of(one)]
    for rule in new:
        if rule in old or any(covers(mine, rule) for mine in old):
            continue
        everywhere = rule["peer"] in _EVERYWHERE and rule["direction"] == "in"
        if change.before is None and change.resource.type == GROUP and not everywhere:
            continue
        yield danger(
            "network-exposed",
            Severity.ERROR if everywhere else Severity.WARNING,
            f"{rule['peer']} can now {'come in' if rule['direction'] == 'in' else 'be reached'} on {ports_of(rule)}",
            stack=stack,
            resource=change.resource,
            reason="everybody on the internet can connect" if everywhere else "no rule allowed that before",
            way_out="name the security group or the address range that needs it, and its ports only",
        )


def _undenied(stack: StackDiff, change: ResourceChange) -> Iterator[Finding]:
    """A denial that goes from a list that stays, with an entry behind it that lets in what it kept out."""
    denied = None if change.before is None else acl_entry(change.before, "deny")
    if denied is None or _name(denied["group"]) in stack.resources_before.keys() - stack.resources_after.keys():
        return
    left, allowed = (
        [one for resource in stack.resources_after.values() if (one := acl_entry(resource, action))]
        for action in ("deny", "allow")
    )
    borrowed = _name(denied["group"]) not in stack.resources_after  # what such a list allows is not in the template
    behind = [denied] if borrowed else [one for one in allowed if meets(one, denied) and reads_before(denied, one)]
    if all(any(covers(one, denied) and (borrowed or reads_before(one, opened)) for one in left) for opened in behind):
        return
    inward = denied["direction"] == "in"
    everywhere = inward and denied["peer"] in _EVERYWHERE
    yield danger(
        "network-exposed",
        Severity.ERROR if everywhere else Severity.WARNING,
        f"{denied['peer']} is no longer {'kept out of' if inward else 'out of reach on'} {ports_of(denied)}",
        stack=stack,
        resource=change.resource,
        reason="an entry of the network ACL denied that, and none does now",
        way_out="keep the entry, or say in the acknowledgement why these addresses may pass",
    )


def _is_new(stack: StackDiff, reference: str) -> bool:
    """Whether ``reference`` names a resource that comes with this change."""
    name = _name(reference)
    return name in stack.resources_after and name not in stack.resources_before


def _name(reference: str) -> str:
    return reference.removeprefix("${").partition("}")[0].partition(".")[0]


def _new(stack: StackDiff, resource: Resource) -> Iterator[Finding]:
    if _leads_everywhere(resource):
        yield _door(stack, resource, None, "a route leads to the whole internet")
    elif resource.type in _WAYS_OUT:
        yield _door(stack, resource, None, f"{_WAYS_OUT[resource.type]} is new")
    preflight = resource.properties.get("HttpMethod") == "OPTIONS"  # a browser's question, which carries no credentials
    for name, value in resource.properties.items() if not preflight else ():
        if isinstance(value, str) and value in _DOORS.get(name, ()):
            yield _door(stack, resource, None, f"{name} is {value}")


def _leads_everywhere(resource: Resource) -> bool:
    ranges = (resource.properties.get(name) for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock"))
    return resource.type == "AWS::EC2::Route" and any(str(one) in _EVERYWHERE for one in ranges)


def _opened(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    unsaid = _UNSAID.get((change.resource.type, one.path[-1]))
    before, after = (unsaid if value is None and unsaid else str(value) for value in (one.before, one.after))
    opened = before != after in _DOORS.get(one.leaf, ())
    unlocked = one.leaf in _LOCKS and (
        str(one.before) in _LOCKS[one.leaf] or (not _LOCKS[one.leaf] and one.after is None)
    )
    whole = one.leaf == "PublicAccessBlockConfiguration" and one.after is None
    public = one.leaf == "GatewayId" and one.before is None and _leads_everywhere(change.resource)
    if opened or unlocked or whole or public:
        means = f", which means {unsaid}" if one.after is None and unsaid else ""
        message = f"{one.leaf} goes from {shown(one.before)} to {shown(one.after)}{means}"
        yield _door(stack, change.resource, one, message)


def _door(stack: StackDiff, resource: Resource, one: PropertyChange | None, message: str) -> Finding:
    return danger(
        "network-exposed",
        Severity.ERROR if one else Severity.WARNING,
        f"{resource.type}: {message}",
        stack=stack,
        resource=resource,
        change=one,
        reason="more of the network can reach it, or be reached from it, than before",
        way_out="keep it inside the network, or say in the acknowledgement who needs the way",
    )
