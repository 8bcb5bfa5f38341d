"""More of the network can reach in, or out, than before."""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import Action, PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

_GROUP = "AWS::EC2::SecurityGroup"
_ACL_ENTRY = "AWS::EC2::NetworkAclEntry"
_RULES = {"AWS::EC2::SecurityGroupIngress": "in", "AWS::EC2::SecurityGroupEgress": "out"}
_LISTS = {"SecurityGroupIngress": "in", "SecurityGroupEgress": "out"}
_PEERS = (
    "CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourceSecurityGroupName", "DestinationSecurityGroupId",
    "SourcePrefixListId", "DestinationPrefixListId", "CidrBlock", "Ipv6CidrBlock",
)  # fmt: skip
_EVERYWHERE = {"0.0.0.0/0", "::/0"}
# Leaf name to the values that open; for those who come without it, the opposite is the default.
_DOORS = {
    "AppNetworkAccessType": {"PublicInternetOnly"},
    "AssignPublicIp": {"ENABLED"},
    "AssociatePublicIpAddress": {"true"},
    "AuthType": {"NONE"},
    "AuthorizationType": {"NONE"},
    "DirectInternetAccess": {"Enabled"},
    "EndpointPublicAccess": {"true"},
    "MapPublicIpOnLaunch": {"true"},
    "PubliclyAccessible": {"true"},
    "Scheme": {"internet-facing"},
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
        if change.after is None:
            continue
        yield from _security_groups(stack, change)
        if change.action is Action.ADDED and change.before is None:
            yield from _new(stack, change.resource)
        for one in change.properties:
            yield from judged(change, one, partial(_opened, stack, change))


def _security_groups(stack: StackDiff, change: ResourceChange) -> Iterator[Finding]:
    """Rules that no rule of before covers; those of a new group count only where they open it to everybody."""
    old, new = (list(_rules(one)) if one else [] for one in (change.before, change.after))
    if change.before is None and change.resource.type == _ACL_ENTRY:
        if _is_new(stack, str(change.resource.properties.get("NetworkAclId", ""))):
            return  # a list of entries allows no more than none
        old = [rule for one in stack.resources_before.values() if one.type == _ACL_ENTRY for rule in _rules(one)]
    for rule in new:
        if rule in old or any(_covers(mine, rule) for mine in old):
            continue
        everywhere = rule["peer"] in _EVERYWHERE and rule["direction"] == "in"
        if change.before is None and change.resource.type == _GROUP and not everywhere:
            continue
        yield danger(
            "network-exposed",
            Severity.ERROR if everywhere else Severity.WARNING,
            f"{rule['peer']} can now {'come in' if rule['direction'] == 'in' else 'be reached'} on {_ports(rule)}",
            stack=stack,
            resource=change.resource,
            reason="everybody on the internet can connect" if everywhere else "no rule allowed that before",
            way_out="name the security group or the address range that needs it, and its ports only",
        )


def _is_new(stack: StackDiff, reference: str) -> bool:
    """Whether ``reference`` names a resource that comes with this change."""
    name = reference.removeprefix("${").partition("}")[0].partition(".")[0]
    return name in stack.resources_after and name not in stack.resources_before


def _rules(resource: Resource) -> Iterator[Mapping[str, Any]]:
    if resource.type in _RULES:
        yield from _rule(resource.properties, _RULES[resource.type], str(resource.properties.get("GroupId", "")))
    if resource.type == _GROUP:
        for name, direction in _LISTS.items():
            for one in resource.properties.get(name) or ():
                yield from _rule(one, direction, "")
    if resource.type == _ACL_ENTRY and resource.properties.get("RuleAction") == "allow":
        one = resource.properties
        ports = one.get("PortRange") or {}
        raw = {**one, "IpProtocol": one.get("Protocol"), "FromPort": ports.get("From"), "ToPort": ports.get("To")}
        raw = {name: value for name, value in raw.items() if value is not None}
        yield from _rule(raw, "out" if one.get("Egress") == "true" else "in", str(one.get("NetworkAclId", "")))


def _rule(raw: Any, direction: str, group: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(raw, dict):
        return
    protocol = str(raw.get("IpProtocol", "-1"))
    every = protocol == "-1"
    yield {
        "direction": direction,
        "group": group,
        "protocol": protocol,
        "peer": next((str(raw[name]) for name in _PEERS if name in raw), "an unnamed peer"),
        "from": 0 if every else raw.get("FromPort", "0"),
        "to": 65535 if every else raw.get("ToPort", "65535"),
    }


def _covers(mine: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    if mine["direction"] != rule["direction"] or mine["protocol"] not in {"-1", rule["protocol"]}:
        return False
    if mine["group"] != rule["group"] or not _contains(str(mine["peer"]), str(rule["peer"])):
        return False
    ports = [str(one) for one in (mine["from"], rule["from"], rule["to"], mine["to"])]
    if not all(port.lstrip("-").isdigit() for port in ports):
        return ports[0] == ports[1] and ports[2] == ports[3]
    return int(ports[0]) <= int(ports[1]) and int(ports[2]) <= int(ports[3])


def _contains(mine: str, peer: str) -> bool:
    if mine == peer:
        return True
    try:
        outer, inner = (ipaddress.ip_network(one, strict=False) for one in (mine, peer))
    except ValueError:
        return False
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _ports(rule: Mapping[str, Any]) -> str:
    if rule["protocol"] == "-1":
        return "every port"
    ports = str(rule["from"]) if rule["from"] == rule["to"] else f"{rule['from']}-{rule['to']}"
    return f"{rule['protocol']} {ports}"


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
    opened = one.leaf in _DOORS and str(one.after) in _DOORS[one.leaf]
    unlocked = one.leaf in _LOCKS and (
        str(one.before) in _LOCKS[one.leaf] or (not _LOCKS[one.leaf] and one.after is None)
    )
    whole = one.leaf == "PublicAccessBlockConfiguration" and one.after is None
    public = one.leaf == "GatewayId" and one.before is None and _leads_everywhere(change.resource)
    if opened or unlocked or whole or public:
        message = f"{one.leaf} goes from {shown(one.before)} to {shown(one.after)}"
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
