"""Rules of security groups and of network ACLs, in one form, and how two of them relate."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

GROUP = "AWS::EC2::SecurityGroup"
ACL_ENTRY = "AWS::EC2::NetworkAclEntry"
_RULES = {"AWS::EC2::SecurityGroupIngress": "in", "AWS::EC2::SecurityGroupEgress": "out"}
_LISTS = {"SecurityGroupIngress": "in", "SecurityGroupEgress": "out"}
_PEERS = (
    "CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourceSecurityGroupName", "DestinationSecurityGroupId",
    "SourcePrefixListId", "DestinationPrefixListId", "CidrBlock", "Ipv6CidrBlock",
)  # fmt: skip


def rules_of(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """What a group, a rule or an entry of a network ACL allows."""
    if resource.type in _RULES:
        yield from _rule(resource.properties, _RULES[resource.type], str(resource.properties.get("GroupId", "")))
    if resource.type == GROUP:
        for name, direction in _LISTS.items():
            for one in resource.properties.get(name) or ():
                yield from _rule(one, direction, "")
    entry = acl_entry(resource, "allow")
    if entry is not None:
        yield {name: value for name, value in entry.items() if name != "number"}


def unwritten(resource: Resource, others: Iterable[Resource]) -> Iterator[Mapping[str, Any]]:
    """What AWS lets a group reach that says nothing of it: everything, until one of the others is a rule of it."""
    if resource.type != GROUP or "SecurityGroupEgress" in resource.properties:
        return
    if not any(_RULES.get(one.type) == "out" and resource.logical_id in one.references for one in others):
        yield from _rule({"CidrIp": "0.0.0.0/0"}, "out", "")


def acl_entry(resource: Resource, action: str) -> Mapping[str, Any] | None:
    """The rule of a network ACL's entry with that action, and its place in the list."""
    one = resource.properties
    if resource.type != ACL_ENTRY or one.get("RuleAction") != action:
        return None
    ports = one.get("PortRange") or {}
    raw = {**one, "IpProtocol": one.get("Protocol"), "FromPort": ports.get("From"), "ToPort": ports.get("To")}
    raw = {name: value for name, value in raw.items() if value is not None}
    (rule,) = _rule(raw, "out" if one.get("Egress") == "true" else "in", str(one.get("NetworkAclId", "")))
    return {**rule, "number": str(one.get("RuleNumber", ""))}


def reads_before(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether AWS reads ``first`` before ``second``, or could: the first entry that fits decides."""
    numbers = [first["number"], second["number"]]
    return not all(number.isdigit() for number in numbers) or int(numbers[0]) < int(numbers[1])


def meets(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether some traffic falls under both rules, as far as can be told."""
    if any(one[name] != other[name] for name in ("direction", "group")):
        return False
    if "-1" not in {one["protocol"], other["protocol"]} and one["protocol"] != other["protocol"]:
        return False
    ports = [str(end) for end in (one["from"], other["to"], other["from"], one["to"])]
    if all(port.isdigit() for port in ports) and (int(ports[0]) > int(ports[1]) or int(ports[2]) > int(ports[3])):
        return False
    try:
        first, second = (ipaddress.ip_network(str(rule["peer"]), strict=False) for rule in (one, other))
    except ValueError:
        return True
    return first.version == second.version and first.overlaps(second)


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


def covers(mine: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Whether whatever falls under ``rule`` falls under ``mine``."""
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


def ports_of(rule: Mapping[str, Any]) -> str:
    """The ports of a rule, in words."""
    if rule["protocol"] == "-1":
        return "every port"
    ports = str(rule["from"]) if rule["from"] == rule["to"] else f"{rule['from']}-{rule['to']}"
    return f"{rule['protocol']} {ports}"
