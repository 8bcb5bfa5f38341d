"""Networks. moto's own types leave gateways, endpoints and attachments standing when a stack is deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import changes, look_up
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.coded import gone_is_fine, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.security_groups import (
    SecurityGroupKind,
    SecurityGroupRuleKind,
)
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkKind:
    """A thing of EC2: created, tagged, given its attributes one call each, deleted by its id.

    :param create_operation: the operation that makes it.
    :param physical_id: where its id is in the answer; ``=`` and ``#`` as in ``api``.
    :param delete_operation: the operation that deletes it.
    :param key: the parameters of the deletion.
    :param switches: properties that are set by a call of their own, by that call's operation.
    :param lists: properties that an update changes by adding and removing members.
    :param attributes: ``Fn::GetAtt`` name to path in the answer.
    :param rename: property to parameter, where they differ.
    :param plural: properties that are one thing where the API takes a list.
    :param tagged: what carries its tags; default: its physical id.
    """

    create_operation: str
    physical_id: str
    delete_operation: str
    key: Mapping[str, str]
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    plural: frozenset[str] = frozenset()
    tagged: str = "#"
    stand_in: str = ""

    def create(self, resource: Resource) -> None:
        """Make it, tag it, set its attributes."""
        api = client("ec2", resource.region)
        switched = {name for names in self.switches.values() for name in names}
        values = {
            self.rename.get(key, key): [value] if key in self.plural else value
            for key, value in resource.properties.items()
            if key not in switched | {"Tags"}
        }
        answer = getattr(api, self.create_operation)(**parameters(api, self.create_operation, values, resource.lost))
        resource.attributes = answer
        resource.physical_resource_id = str(look_up(self.physical_id, answer, resource.properties, ""))
        self._switch(resource, switched)
        self._tag(resource)

    def update(self, resource: Resource, before: Resource) -> None:
        """Tags, attributes and memberships change in place, nothing else."""
        resource.physical_resource_id, resource.attributes = before.physical_resource_id, before.attributes
        switched = {name for names in self.switches.values() for name in names}
        changed = changes(resource, before)
        if changed - switched - set(self.lists) - {"Tags"}:
            raise MustReplace
        self._switch(resource, changed & switched)
        self._change_lists(resource, before, changed & set(self.lists))
        self._tag(resource)

    def delete(self, resource: Resource) -> None:
        """Delete it."""
        with gone_is_fine():
            getattr(client("ec2", resource.region), self.delete_operation)(
                **{
                    name: [look_up(path[1:-1], resource.attributes, resource.properties, resource.physical_resource_id)]
                    if path.startswith("[")
                    else look_up(path, resource.attributes, resource.properties, resource.physical_resource_id)
                    for name, path in self.key.items()
                }
            )

    def attribute(self, resource: Resource, name: str) -> Any:
        """What the creation answered."""
        return look_up(self.attributes[name], resource.attributes, resource.properties, resource.physical_resource_id)

    def _switch(self, resource: Resource, names: set[str]) -> None:
        api = client("ec2", resource.region)
        for operation, switches in self.switches.items():
            for name in sorted(names & set(switches) & set(resource.properties)):
                key = operation.split("_")[1].capitalize() + "Id"
                is_on = str(resource.properties[name]).lower() == "true"
                getattr(api, operation)(**{key: resource.physical_resource_id, name: {"Value": is_on}})

    def _change_lists(self, resource: Resource, before: Resource, names: set[str]) -> None:
        for name in sorted(names):
            old, new = set(before.properties.get(name, [])), set(resource.properties.get(name, []))
            values = {f"Add{name}": sorted(new - old), f"Remove{name}": sorted(old - new)}
            client("ec2", resource.region).modify_vpc_endpoint(
                VpcEndpointId=resource.physical_resource_id, **{key: value for key, value in values.items() if value}
            )

    def _tag(self, resource: Resource) -> None:
        tags = resource.properties.get("Tags", [])
        if tags:
            client("ec2", resource.region).create_tags(
                Resources=[
                    look_up(self.tagged, resource.attributes, resource.properties, resource.physical_resource_id)
                ],
                Tags=tags,
            )


class VpcKind(NetworkKind):
    """A VPC, with what EC2 makes along with it."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """Its default group and access list are looked up, the rest was answered."""
        api = client("ec2", resource.region)
        own = [{"Name": "vpc-id", "Values": [resource.physical_resource_id]}]
        if name == "DefaultSecurityGroup":
            default = {"Name": "group-name", "Values": ["default"]}
            return api.describe_security_groups(Filters=[*own, default])["SecurityGroups"][0]["GroupId"]
        if name == "DefaultNetworkAcl":
            return api.describe_network_acls(Filters=own)["NetworkAcls"][0]["NetworkAclId"]
        return look_up(self.attributes[name], resource.attributes, resource.properties, resource.physical_resource_id)


_SWITCHED_OF_VPC = ("EnableDnsHostnames", "EnableDnsSupport")
_SWITCHED_OF_SUBNET = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")

KINDS: dict[str, Kind] = {
    "AWS::EC2::VPC": VpcKind(
        create_operation="create_vpc",
        physical_id="Vpc.VpcId",
        delete_operation="delete_vpc",
        key={"VpcId": "#"},
        switches={"modify_vpc_attribute": _SWITCHED_OF_VPC},
        attributes={
            "VpcId": "#",
            "CidrBlock": "Vpc.CidrBlock",
        },
    ),
    "AWS::EC2::Subnet": NetworkKind(
        create_operation="create_subnet",
        physical_id="Subnet.SubnetId",
        delete_operation="delete_subnet",
        key={"SubnetId": "#"},
        switches={"modify_subnet_attribute": _SWITCHED_OF_SUBNET},
        attributes={
            "SubnetId": "#",
            "VpcId": "Subnet.VpcId",
            "CidrBlock": "Subnet.CidrBlock",
            "AvailabilityZone": "Subnet.AvailabilityZone",
        },
    ),
    "AWS::EC2::RouteTable": NetworkKind(
        create_operation="create_route_table",
        physical_id="RouteTable.RouteTableId",
        delete_operation="delete_route_table",
        key={"RouteTableId": "#"},
        attributes={"RouteTableId": "#"},
    ),
    "AWS::EC2::Route": NetworkKind(
        create_operation="create_route",
        physical_id="=RouteTableId",
        delete_operation="delete_route",
        key={"RouteTableId": "=RouteTableId", "DestinationCidrBlock": "=DestinationCidrBlock"},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": NetworkKind(
        create_operation="associate_route_table",
        physical_id="AssociationId",
        delete_operation="disassociate_route_table",
        key={"AssociationId": "#"},
        attributes={"Id": "#"},
    ),
    "AWS::EC2::InternetGateway": NetworkKind(
        create_operation="create_internet_gateway",
        physical_id="InternetGateway.InternetGatewayId",
        delete_operation="delete_internet_gateway",
        key={"InternetGatewayId": "#"},
        attributes={"InternetGatewayId": "#"},
    ),
    "AWS::EC2::VPCGatewayAttachment": NetworkKind(
        create_operation="attach_internet_gateway",
        physical_id="=VpcId",
        delete_operation="detach_internet_gateway",
        key={"InternetGatewayId": "=InternetGatewayId", "VpcId": "=VpcId"},
    ),
    "AWS::EC2::EIP": NetworkKind(
        create_operation="allocate_address",
        physical_id="PublicIp",
        delete_operation="release_address",
        key={"AllocationId": "AllocationId"},
        tagged="AllocationId",
        attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"},
    ),
    "AWS::EC2::NatGateway": NetworkKind(
        create_operation="create_nat_gateway",
        physical_id="NatGateway.NatGatewayId",
        delete_operation="delete_nat_gateway",
        key={"NatGatewayId": "#"},
        attributes={"NatGatewayId": "#"},
    ),
    "AWS::EC2::FlowLog": NetworkKind(
        create_operation="create_flow_logs",
        physical_id="FlowLogIds.0",
        delete_operation="delete_flow_logs",
        key={"FlowLogIds": "[#]"},
        rename={"ResourceId": "ResourceIds"},
        plural=frozenset({"ResourceId"}),
        attributes={"Id": "#"},
    ),
    "AWS::EC2::VPCEndpoint": NetworkKind(
        create_operation="create_vpc_endpoint",
        physical_id="VpcEndpoint.VpcEndpointId",
        delete_operation="delete_vpc_endpoints",
        key={"VpcEndpointIds": "[#]"},
        lists=("RouteTableIds", "SubnetIds", "SecurityGroupIds"),
        attributes={
            "Id": "#",
            "DnsEntries": "VpcEndpoint.DnsEntries",
            "NetworkInterfaceIds": "VpcEndpoint.NetworkInterfaceIds",
        },
    ),
    "AWS::EC2::SecurityGroup": SecurityGroupKind(),
    "AWS::EC2::SecurityGroupIngress": SecurityGroupRuleKind("ingress"),
    "AWS::EC2::SecurityGroupEgress": SecurityGroupRuleKind("egress"),
}
