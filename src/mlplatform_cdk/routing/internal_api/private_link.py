"""PrivateLink: callers in VPCs that have no route here connect to a service, which proves that its name is ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CustomResource
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_kms as kms
from aws_cdk import aws_route53 as route53
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformFunction,
    acknowledge,
    acknowledge_controls,
    allowed,
    arn_of,
    minutes,
    region_of,
)
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.routing.internal_api.balancer import ALIVE, Balancer, attributes
from mlplatform_cdk.routing.internal_api.door import HTTPS, HTTPS_PORT, RUNTIME
from mlplatform_cdk.routing.plan import HostedZoneReference

_VERIFYING = minutes(10)
_PATIENCE = minutes(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateLink:
    """Who may connect from other VPCs, and how.

    :param allowed_principals: ARNs of accounts, roles or users that may make an endpoint for the service.
    :param acceptance_required: whether a person here accepts each connection; default: yes.
    :param private_name: whether the region's own name leads to the service in a caller's VPC; default: yes.
    :param supported_regions: other regions in which callers may make their endpoints; default: this one alone.
    """

    allowed_principals: Sequence[str]
    acceptance_required: bool = True
    private_name: bool = True
    supported_regions: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse a service for nobody, and one for everybody."""
        if isinstance(self.allowed_principals, str) or not self.allowed_principals:
            raise ValueError(f"allowed_principals must be a list of ARNs, got {self.allowed_principals!r}")
        if wrong := [one for one in self.allowed_principals if not one.startswith("arn:")]:
            raise ValueError(f"allowed_principals must be ARNs, not {wrong[0]!r}")


class EndpointService(Construct):
    """A VPC endpoint service: a network load balancer whose one target is the load balancer inside.

    An endpoint service takes network and gateway load balancers only, and those take an application load balancer as
    their target: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/application-load-balancer-target.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        private_link: PrivateLink,
        name: str,
        public_zone: HostedZoneReference | None,
        network: Network,
        balancer: Balancer,
        key: kms.IKey,
        deletion_protection: bool,
    ) -> None:
        super().__init__(scope, id)
        front = self._define_front(network, balancer, deletion_protection=deletion_protection)
        self._service = ec2.CfnVPCEndpointService(
            self,
            "Resource",
            network_load_balancer_arns=[front.ref],
            acceptance_required=private_link.acceptance_required,
            private_dns_name=name if private_link.private_name else None,
            supported_ip_address_types=["ipv4"],
            supported_regions=[*private_link.supported_regions] or None,
        )
        ec2.CfnVPCEndpointServicePermissions(
            self, "Allowed", service_id=self._service.ref, allowed_principals=[*private_link.allowed_principals]
        )
        if private_link.private_name:
            assert public_zone is not None
            self._prove(name, public_zone, key)

    @property
    def service_name(self) -> str:
        """What a caller's endpoint names."""
        return f"com.amazonaws.vpce.{region_of(self)}.{self._service.ref}"

    def _define_front(
        self, network: Network, balancer: Balancer, *, deletion_protection: bool
    ) -> balancing.CfnLoadBalancer:
        group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description="Callers by PrivateLink alone", allow_all_outbound=False
        )
        group.connections.allow_to(balancer.group, HTTPS, "HTTPS to the load balancer inside")
        front = balancing.CfnLoadBalancer(
            self,
            "Front",
            type="network",
            scheme="internal",
            subnets=[*network.job_network.subnet_ids],
            security_groups=[group.security_group_id],
            # Who connects by PrivateLink was allowed by the service; the group lets in nobody else.
            enforce_security_group_inbound_rules_on_private_link_traffic="off",
            load_balancer_attributes=attributes(
                {
                    "deletion_protection.enabled": str(deletion_protection).lower(),
                    "load_balancing.cross_zone.enabled": "true",
                }
            ),
        )
        target = balancing.CfnTargetGroup(
            self,
            "Target",
            vpc_id=network.vpc.vpc_id,
            target_type="alb",
            port=HTTPS_PORT,
            protocol="TCP",
            targets=[balancing.CfnTargetGroup.TargetDescriptionProperty(id=balancer.resource.ref, port=HTTPS_PORT)],
            health_check_protocol="HTTPS",
            health_check_path="/",
            matcher=balancing.CfnTargetGroup.MatcherProperty(http_code=ALIVE),
        )
        # A load balancer is a target only while it listens.
        target.node.add_dependency(balancer.listener)
        listener = balancing.CfnListener(
            self,
            "Listener",
            load_balancer_arn=front.ref,
            port=HTTPS_PORT,
            protocol="TCP",
            default_actions=[balancing.CfnListener.ActionProperty(type="forward", target_group_arn=target.ref)],
        )
        unlogged = (
            "it passes TLS on unopened, and logs TLS listeners only; the load balancer behind it logs each request"
        )
        acknowledge(front, {"AwsSolutions-ELB2": unlogged})
        acknowledge_controls(listener, {"ELBv2ACMCertificateRequired": unlogged})
        acknowledge_controls(front, {"ELBLoggingEnabled": unlogged})
        return front

    def _prove(self, name: str, zone: HostedZoneReference, key: kms.IKey) -> None:
        """A record in public, and somebody who asks AWS to look at it.

        https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
        """
        service = self._service
        record = route53.CfnRecordSet(
            self,
            "Proof",
            hosted_zone_id=zone.hosted_zone_id,
            name=f"{service.attr_private_dns_name_configuration_name}.{name}.",
            type="TXT",
            ttl="300",
            resource_records=[f'"{service.attr_private_dns_name_configuration_value}"'],
        )
        arn = arn_of(self, "ec2", f"vpc-endpoint-service/{service.ref}")
        verifier = PlatformFunction(
            self,
            "Verifier",
            package=RUNTIME,
            module="verification",
            description=f"Lets AWS see that {name} is ours",
            timeout=_VERIFYING,
            key=key,
            access=[
                Access(
                    [
                        allowed(["ec2:StartVpcEndpointServicePrivateDnsVerification"], arn),
                        allowed(["ec2:DescribeVpcEndpointServiceConfigurations"], "*"),
                    ],
                    patterns={"*": "DescribeVpcEndpointServiceConfigurations and X-Ray's calls take no resource"},
                )
            ],
        )
        proved = CustomResource(
            self,
            "Proved",
            service_token=verifier.function_arn,
            resource_type="Custom::ProvedName",
            service_timeout=_PATIENCE,
            properties={"ServiceId": service.ref, "Name": name},
        )
        proved.node.add_dependency(record)
