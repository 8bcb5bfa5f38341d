"""Security groups and their rules, those in the group and those that stand alone."""

from __future__ import annotations

from typing import Any

from mlplatform_cdk.local.adapters.cloudformation.api import changes
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, gone_is_fine
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Resource

_ANYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_PLACES = (
    ("CidrIp", "IpRanges", "CidrIp"),
    ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
    ("SourceSecurityGroupId", "UserIdGroupPairs", "GroupId"),
    ("DestinationSecurityGroupId", "UserIdGroupPairs", "GroupId"),
    ("SourcePrefixListId", "PrefixListIds", "PrefixListId"),
    ("DestinationPrefixListId", "PrefixListIds", "PrefixListId"),
)


class SecurityGroupKind(CodedKind):
    """A group with its rules."""

    service = "ec2"
    name = "GroupName"
    name_limit = 255
    fixed = frozenset({"GroupDescription", "VpcId"})
    changes_tags = True

    def make(self, resource: Resource) -> None:
        """Create it, without the outbound rule that EC2 adds when the template has its own."""
        api, given = self.api(resource), resource.properties
        more = {"VpcId": given["VpcId"]} if "VpcId" in given else {}
        group = api.create_security_group(GroupName=given["GroupName"], Description=given["GroupDescription"], **more)[
            "GroupId"
        ]
        resource.physical_resource_id = group
        resource.attributes = {"GroupId": group, "Id": group, "VpcId": given.get("VpcId")}
        if given.get("SecurityGroupEgress"):
            api.revoke_security_group_egress(GroupId=group, IpPermissions=[_ANYWHERE])

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Rules that are new in, those that are gone out."""
        api, group = self.api(resource), resource.physical_resource_id
        for direction, name in (("ingress", "SecurityGroupIngress"), ("egress", "SecurityGroupEgress")):
            new = resource.properties.get(name, [])
            old = [] if before is None else before.properties.get(name, [])
            added, gone = [r for r in new if r not in old], [r for r in old if r not in new]
            if gone:
                with gone_is_fine():
                    getattr(api, f"revoke_security_group_{direction}")(
                        GroupId=group, IpPermissions=[permission(rule) for rule in gone]
                    )
            for rule in added:
                getattr(api, f"authorize_security_group_{direction}")(GroupId=group, IpPermissions=[permission(rule)])
        tags = resource.properties.get("Tags", [])
        if tags:
            api.create_tags(Resources=[group], Tags=tags)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_security_group(GroupId=resource.physical_resource_id)


class SecurityGroupRuleKind(CodedKind):
    """A rule of a group that another resource owns.

    :param direction: ``ingress`` or ``egress``.
    """

    service = "ec2"

    def __init__(self, direction: str) -> None:
        self._direction = direction

    def make(self, resource: Resource) -> None:
        """Let the traffic through."""
        group = resource.properties["GroupId"]
        rules = getattr(self.api(resource), f"authorize_security_group_{self._direction}")(
            GroupId=group, IpPermissions=[permission(dict(resource.properties.items()))]
        )["SecurityGroupRules"]
        resource.physical_resource_id = rules[0]["SecurityGroupRuleId"] if rules else f"{group}-rule"
        resource.attributes = {"Id": resource.physical_resource_id}

    def update(self, resource: Resource, before: Resource) -> None:
        """A rule is never changed."""
        if changes(resource, before):
            raise MustReplace

    def unmake(self, resource: Resource) -> None:
        """Let the traffic through no longer."""
        getattr(client(self.service, resource.region), f"revoke_security_group_{self._direction}")(
            GroupId=resource.properties["GroupId"], IpPermissions=[permission(dict(resource.properties.items()))]
        )


def permission(rule: dict[str, Any]) -> dict[str, Any]:
    """A template's rule as EC2's API takes it."""
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    ports: dict[str, Any] = {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    allowed: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"]), **ports}
    for source, parameter, key in _PLACES:
        if source in rule:
            allowed[parameter] = [{key: rule[source], **described}]
    return allowed
