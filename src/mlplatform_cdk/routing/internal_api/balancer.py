"""The load balancer inside: TLS, a log of every request, and the way to the private API's door."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import account_of, acknowledge, acknowledge_controls, is_known, service_principal
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.foundation.buckets import access_logs_of
from mlplatform_cdk.routing.internal_api.door import HTTPS, HTTPS_PORT, Door

_Attribute = balancing.CfnLoadBalancer.LoadBalancerAttributeProperty
# TLS 1.2 and 1.3: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
# A check has the target's address as its host, which no API answers to: API Gateway's own refusal, 403, is its sign of
# life, and what the way in needs is that the door opens. Whether the model answers, the region's probe knows.
ALIVE = "200,403"
_CHECK_SECONDS = 10
_LOG_PREFIX = "load-balancers"


class Balancer(Construct):
    """An internal application load balancer that leads every request to the door."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: Network,
        door: Door,
        certificate_arn: str,
        callers: Sequence[str],
        others: Sequence[str],
        deletion_protection: bool,
    ) -> None:
        super().__init__(scope, id)
        self.group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description="Internal callers of models", allow_all_outbound=False
        )
        for caller in callers:
            self.group.add_ingress_rule(ec2.Peer.ipv4(caller), HTTPS, "HTTPS of callers inside")
        if not all(map(is_known, (*callers, *others))):
            self._accept_addresses()
        for other in others:
            self.group.add_ingress_rule(ec2.Peer.ipv4(other), HTTPS, "HTTPS of the probe of another region")
            network.job_security_group.add_egress_rule(
                ec2.Peer.ipv4(other), HTTPS, "HTTPS of the probe to another region"
            )
        # The probe calls from here, also where jobs may reach nothing but named services.
        network.job_security_group.add_egress_rule(self.group, HTTPS, "HTTPS to the internal API")
        self.group.add_ingress_rule(network.job_security_group, HTTPS, "HTTPS of the probe, whoever else may call")
        self.group.connections.allow_to(door.group, HTTPS, "HTTPS to the private API")
        logs = access_logs_of(self, removal_policy=RemovalPolicy.RETAIN)
        self.resource = balancing.CfnLoadBalancer(
            self,
            "Resource",
            type="application",
            scheme="internal",
            ip_address_type="ipv4",
            subnets=[*network.job_network.subnet_ids],
            security_groups=[self.group.security_group_id],
            load_balancer_attributes=attributes(
                {
                    "access_logs.s3.enabled": "true",
                    "access_logs.s3.bucket": logs.bucket_name,
                    "access_logs.s3.prefix": _LOG_PREFIX,
                    "deletion_protection.enabled": str(deletion_protection).lower(),
                    "routing.http.drop_invalid_header_fields.enabled": "true",
                    # A signature covers the host, so that it must arrive as the caller wrote it.
                    "routing.http.preserve_host_header.enabled": "true",
                }
            ),
        )
        self.resource.node.add_dependency(self._let_log(logs))
        targets = self._define_targets(network.vpc.vpc_id, door)
        self.listener = balancing.CfnListener(
            self,
            "Listener",
            load_balancer_arn=self.resource.ref,
            port=HTTPS_PORT,
            protocol="HTTPS",
            ssl_policy=_TLS,
            certificates=[balancing.CfnListener.CertificateProperty(certificate_arn=certificate_arn)],
            default_actions=[balancing.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
        )

    def _accept_addresses(self) -> None:
        """The packs find no fault with addresses that they can read."""
        reason = "HTTPS from the VPC's own addresses, which the packs cannot read out of a reference"
        acknowledge(self.group, {"AwsSolutions-EC23": reason})
        acknowledge_controls(self.group, {"EC2RestrictedCommonPorts": reason, "EC2RestrictedSSH": reason})

    def _define_targets(self, vpc_id: str, door: Door) -> balancing.CfnTargetGroup:
        target = balancing.CfnTargetGroup.TargetDescriptionProperty
        return balancing.CfnTargetGroup(
            self,
            "Targets",
            vpc_id=vpc_id,
            target_type="ip",
            port=HTTPS_PORT,
            protocol="HTTPS",
            targets=[target(id=address, port=HTTPS_PORT) for address in door.addresses],
            health_check_protocol="HTTPS",
            health_check_path="/",
            health_check_interval_seconds=_CHECK_SECONDS,
            matcher=balancing.CfnTargetGroup.MatcherProperty(http_code=ALIVE),
        )

    def _let_log(self, logs: s3.IBucket) -> Construct:
        """Whom the load balancer asks to write; it looks whether it may, before it stands.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        """
        account = account_of(self)
        logs.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LoadBalancersOfThisAccount",
                principals=[service_principal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[logs.arn_for_objects(f"{_LOG_PREFIX}/AWSLogs/{account}/*")],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            )
        )
        assert logs.policy is not None
        return logs.policy


def attributes(given: dict[str, str]) -> list[balancing.CfnLoadBalancer.LoadBalancerAttributeProperty]:
    """Attributes of a load balancer as CloudFormation takes them."""
    return [_Attribute(key=key, value=value) for key, value in given.items()]
