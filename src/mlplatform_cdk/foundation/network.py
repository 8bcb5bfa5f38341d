"""The VPC that jobs, endpoints and notebooks stand in: isolated unless asked otherwise."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, PlatformRole, acknowledge_controls, resource_of, service_principal
from mlplatform_cdk.foundation.job_network import JobNetwork

# What SageMaker's jobs, endpoints and Studio call from inside a VPC; S3 and DynamoDB have gateway endpoints.
SAGEMAKER_SERVICES = (
    "ecr.api",
    "ecr.dkr",
    "kms",
    "logs",
    "monitoring",
    "sagemaker.api",
    "sagemaker.runtime",
    "ssm",
    "sts",
    "studio",
)
_PREFIXES = {"studio": "aws.sagemaker", "notebook": "aws.sagemaker"}
_FEWEST_ZONES, _MOST_ZONES = 2, 3
_HTTPS_PORT = 443
_HTTPS = ec2.Port.tcp(_HTTPS_PORT)


class Network(Construct):
    """Private subnets over two or three zones, the endpoints of AWS's services, and a security group for jobs.

    :param cidr: the VPC's addresses; default: 10.0.0.0/16.
    :param zones: over how many availability zones, 2 or 3; default: 2.
    :param nat_gateways: ways out to the internet; default: none, so nothing in the VPC can reach it.
    :param interface_services: services with an endpoint in the VPC, as in ``com.amazonaws.<region>.<service>``;
        default: what SageMaker needs.
    :param gateway_prefix_lists: ids of the region's prefix lists of S3 and DynamoDB, which an isolated network's jobs
        may reach; default: none, and jobs may send HTTPS wherever the routes lead, which is those two services.
    :param key: encrypts the flow logs; default: a key that AWS owns.
    """

    vpc: ec2.IVpc
    job_security_group: ec2.ISecurityGroup
    job_network: JobNetwork

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cidr: str = "10.0.0.0/16",
        zones: int = _FEWEST_ZONES,
        nat_gateways: int = 0,
        interface_services: Sequence[str] = SAGEMAKER_SERVICES,
        gateway_prefix_lists: Sequence[str] = (),
        key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, id)
        if not _FEWEST_ZONES <= zones <= _MOST_ZONES:
            raise ConfigurationError(self, f"zones must be {_FEWEST_ZONES} or {_MOST_ZONES}, got {zones}")
        if isinstance(interface_services, str):
            raise ConfigurationError(
                self, f"interface_services must be a list, got {interface_services!r}; try [{interface_services!r}]"
            )
        self.vpc = _define_vpc(self, cidr, zones, nat_gateways)
        self._define_flow_logs(key)
        only = () if nat_gateways else tuple(gateway_prefix_lists)
        self.job_security_group = _define_job_group(self, self.vpc, only)
        self._define_endpoints(interface_services)
        subnets = self.vpc.private_subnets if nat_gateways else self.vpc.isolated_subnets
        self.job_network = _job_network(self, subnets, self.job_security_group)

    @staticmethod
    def from_vpc(scope: Construct, id: str, *, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet] = ()) -> "Network":
        """A VPC that exists: adds the security group for jobs, and nothing else.

        :param vpc: from ``ec2.Vpc.from_lookup``, ``from_vpc_attributes`` or another construct.
        :param subnets: where jobs stand; default: the VPC's private subnets, or else its isolated ones.
        """
        return _BorrowedNetwork(scope, id, vpc, subnets)

    def _define_endpoints(self, services: Sequence[str]) -> None:
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            ec2.GatewayVpcEndpoint(self, name, vpc=self.vpc, service=service)
        if not services:
            return
        group = ec2.SecurityGroup(
            self,
            "EndpointGroup",
            vpc=self.vpc,
            description="The endpoints of AWS services in the VPC",
            allow_all_outbound=False,
        )
        group.connections.allow_from(self.job_security_group, _HTTPS, "HTTPS from the jobs")
        for name in services:
            ec2.InterfaceVpcEndpoint(
                self,
                _endpoint_id(name),
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(name, _PREFIXES.get(name)),
                security_groups=[group],
                open=False,
            )

    def _define_flow_logs(self, key: kms.IKey | None) -> None:
        log_group = logs.LogGroup(
            self,
            "FlowLogs",
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=key,
        )
        role = PlatformRole(
            self,
            "FlowLogsRole",
            assumed_by=service_principal("vpc-flow-logs.amazonaws.com"),
            description="Writes the VPC's flow logs",
        )
        ec2.FlowLog(
            self,
            "FlowLog",
            resource_type=ec2.FlowLogResourceType.from_vpc(self.vpc),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role),
        )


class _BorrowedNetwork(Network):
    def __init__(self, scope: Construct, id: str, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet]) -> None:
        Construct.__init__(self, scope, id)
        self.vpc = vpc
        self.job_security_group = _define_job_group(self, vpc, ())
        chosen = subnets or vpc.private_subnets or vpc.isolated_subnets
        self.job_network = _job_network(self, chosen, self.job_security_group)


def _define_vpc(scope: Construct, cidr: str, zones: int, nat_gateways: int) -> ec2.Vpc:
    kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat_gateways else ec2.SubnetType.PRIVATE_ISOLATED
    subnets = [ec2.SubnetConfiguration(name="Jobs", subnet_type=kind, cidr_mask=20)]
    if nat_gateways:
        subnets.append(ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24))
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(cidr),
        max_azs=zones,
        nat_gateways=nat_gateways,
        subnet_configuration=subnets,
        # CDK empties the default group with a custom resource; nothing of ours uses that group.
        restrict_default_security_group=False,
    )
    reason = "nothing of ours uses the default group, and CloudFormation can empty it by a custom resource only"
    acknowledge_controls(vpc, {"VPCDefaultSecurityGroupClosed": reason})
    return vpc


def _define_job_group(scope: Construct, vpc: ec2.IVpc, prefix_lists: Sequence[str]) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        scope,
        "JobGroup",
        vpc=vpc,
        description="Machine learning jobs, endpoints and notebooks",
        allow_all_outbound=False,
    )
    group.connections.allow_internally(ec2.Port.all_traffic(), "Hosts of one training job")
    # https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    reason = "only from members of the group itself: the hosts of one training job talk to one another on any port"
    acknowledge_controls(group, {"EC2RestrictedCommonPorts": reason})
    if not prefix_lists:
        group.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "HTTPS where the routes lead")
        return group
    resource = resource_of(group)
    assert isinstance(resource, ec2.CfnSecurityGroup)
    # Inside the group's own resource: AWS lets a group without any rule of its own reach everything.
    resource.security_group_egress = [
        ec2.CfnSecurityGroup.EgressProperty(
            ip_protocol="tcp",
            from_port=_HTTPS_PORT,
            to_port=_HTTPS_PORT,
            destination_prefix_list_id=prefix_list,
            description="HTTPS to a gateway endpoint",
        )
        for prefix_list in prefix_lists
    ]
    return group


def _job_network(scope: Construct, subnets: Sequence[ec2.ISubnet], group: ec2.ISecurityGroup) -> JobNetwork:
    if not subnets:
        raise ConfigurationError(scope, "the VPC must have private subnets for jobs, got none; name some with subnets")
    return JobNetwork(
        subnet_ids=tuple(subnet.subnet_id for subnet in subnets), security_group_ids=(group.security_group_id,)
    )


def _endpoint_id(service: str) -> str:
    """``SagemakerApi`` of ``sagemaker.api``."""
    return "".join(part.capitalize() for part in service.replace("-", ".").split("."))
