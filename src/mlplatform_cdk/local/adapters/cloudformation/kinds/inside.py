"""What an API for callers inside is made of, and databases: records, since nobody connects to them in a rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.network import NetworkKind
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_UNREACHED = "no load balancer and no VPC endpoint leads a request to a private API in a rehearsal"
_UNCONNECTED = "nobody connects by PrivateLink in a rehearsal"
_NO_DATABASE = "no database of RDS runs in a rehearsal"
_UNKNOWN_TO_MOTO = ("routing.http.preserve_host_header.enabled",)
_DOMAIN = "arn:aws:apigateway:{region}:{account}:/domainnames/{DomainName}+{id}"
_HOST = "{DBClusterIdentifier}.cluster-embedded.{region}.rds.amazonaws.com"
_READER = "{DBClusterIdentifier}.cluster-ro-embedded.{region}.rds.amazonaws.com"


class LoadBalancerKind(CodedKind):
    """A load balancer of either kind; moto's own way from a template makes application load balancers alone."""

    service = "elbv2"
    name = "Name"
    name_limit = 32
    fixed = frozenset({"Scheme", "Type"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api = self.api(resource)
        own = {"LoadBalancerAttributes", "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"}
        values = {name: value for name, value in resource.properties.items() if name not in own}
        made = api.create_load_balancer(**parameters(api, "create_load_balancer", values, resource.lost))
        (balancer,) = made["LoadBalancers"]
        resource.physical_resource_id = balancer["LoadBalancerArn"]
        resource.attributes = {
            "CanonicalHostedZoneID": balancer["CanonicalHostedZoneId"],
            "DNSName": balancer["DNSName"],
            "LoadBalancerArn": balancer["LoadBalancerArn"],
            "LoadBalancerFullName": balancer["LoadBalancerArn"].partition(":loadbalancer/")[2],
            "LoadBalancerName": balancer["LoadBalancerName"],
        }

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- the same whether new or changed
        """Its attributes, such as its protection from deletion."""
        given = resource.properties.get("LoadBalancerAttributes", [])
        kept = [{"Key": one["Key"], "Value": str(one["Value"])} for one in given if one["Key"] not in _UNKNOWN_TO_MOTO]
        resource.lost.extend(one["Key"] for one in given if one["Key"] in _UNKNOWN_TO_MOTO)
        if kept:
            arn = resource.physical_resource_id
            self.api(resource).modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=kept)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_load_balancer(LoadBalancerArn=resource.physical_resource_id)


KINDS: dict[str, Kind] = {
    "AWS::ApiGateway::DomainNameV2": RecordedKind(
        why=_UNREACHED,
        fixed=frozenset({"DomainName", "EndpointConfiguration"}),
        attributes={"DomainNameArn": _DOMAIN, "DomainNameId": "{id}"},
    ),
    "AWS::ApiGateway::BasePathMappingV2": RecordedKind(why=_UNREACHED, fixed=frozenset({"BasePath", "DomainNameArn"})),
    "AWS::ApiGateway::DomainNameAccessAssociation": RecordedKind(
        why=_UNREACHED,
        fixed=frozenset({"AccessAssociationSource", "AccessAssociationSourceType", "DomainNameArn"}),
    ),
    "AWS::EC2::VPCEndpointService": NetworkKind(
        create_operation="create_vpc_endpoint_service_configuration",
        physical_id="ServiceConfiguration.ServiceId",
        delete_operation="delete_vpc_endpoint_service_configurations",
        key={"ServiceIds": "[#]"},
        attributes={"ServiceId": "#"},
    ),
    "AWS::EC2::VPCEndpointServicePermissions": RecordedKind(why=_UNCONNECTED, fixed=frozenset({"ServiceId"})),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": LoadBalancerKind(),
    "AWS::RDS::DBSubnetGroup": RecordedKind(why=_NO_DATABASE),
    "AWS::RDS::DBParameterGroup": RecordedKind(why=_NO_DATABASE, fixed=frozenset({"Family", "Description"})),
    "AWS::RDS::DBClusterParameterGroup": RecordedKind(why=_NO_DATABASE, fixed=frozenset({"Family", "Description"})),
    "AWS::RDS::GlobalCluster": RecordedKind(
        why=_NO_DATABASE, name="GlobalClusterIdentifier", fixed=frozenset({"Engine", "StorageEncrypted"})
    ),
    "AWS::RDS::DBCluster": RecordedKind(
        why=_NO_DATABASE,
        name="DBClusterIdentifier",
        fixed=frozenset({"DatabaseName", "KmsKeyId", "StorageEncrypted", "DBSubnetGroupName"}),
        attributes={
            "Endpoint.Address": _HOST,
            "ReadEndpoint.Address": _READER,
            "DBClusterResourceId": "cluster-{DBClusterIdentifier}",
        },
    ),
    "AWS::RDS::DBInstance": RecordedKind(
        why=_NO_DATABASE,
        name="DBInstanceIdentifier",
        fixed=frozenset({"DBClusterIdentifier", "DBName", "KmsKeyId", "MasterUsername", "StorageEncrypted"}),
        attributes={
            "Endpoint.Address": "{DBInstanceIdentifier}.embedded.{region}.rds.amazonaws.com",
            "DbiResourceId": "db-{DBInstanceIdentifier}",
        },
    ),
}
