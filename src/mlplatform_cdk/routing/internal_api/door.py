"""The VPC endpoint by which alone a private API is reached, and its addresses, which a load balancer wants to know."""

from aws_cdk import CustomResource
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, account_of, allowed, minutes, partition_of, region_of
from mlplatform_cdk.foundation import Network

RUNTIME = "mlplatform_cdk.routing.internal_api.runtime"
HTTPS_PORT = 443
HTTPS = ec2.Port.tcp(HTTPS_PORT)


class Door(Construct):
    """An endpoint of ``execute-api`` of its own, with one network interface in each subnet.

    It answers no name of AWS's, so that other APIs which this VPC calls stay where they are.
    """

    def __init__(self, scope: Construct, id: str, *, network: Network, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description="The door of a private API", allow_all_outbound=False
        )
        subnets = network.job_network.subnet_ids
        endpoint = ec2.CfnVPCEndpoint(
            self,
            "Resource",
            vpc_id=network.vpc.vpc_id,
            service_name=f"com.amazonaws.{region_of(self)}.execute-api",
            vpc_endpoint_type="Interface",
            private_dns_enabled=False,
            subnet_ids=[*subnets],
            security_group_ids=[self.group.security_group_id],
            policy_document=self._only_here(),
        )
        self.endpoint_id = endpoint.ref
        finder = PlatformFunction(
            self,
            "Finder",
            package=RUNTIME,
            module="addresses",
            description="Finds the addresses of a VPC endpoint",
            timeout=minutes(1),
            key=key,
            access=[
                Access(
                    [allowed(["ec2:DescribeNetworkInterfaces"], "*")],
                    patterns={"*": "DescribeNetworkInterfaces and X-Ray's calls take no resource"},
                )
            ],
        )
        found = CustomResource(
            self,
            "Addresses",
            service_token=finder.function_arn,
            resource_type="Custom::EndpointAddresses",
            service_timeout=minutes(5),
            properties={"NetworkInterfaceIds": endpoint.attr_network_interface_ids},
        )
        #: One for each subnet.
        self.addresses = [found.get_att_string(f"Address{index}") for index in range(len(subnets))]

    def _only_here(self) -> dict[str, object]:
        """To no API of another account."""
        place = f"arn:{partition_of(self)}:execute-api:{region_of(self)}:{account_of(self)}:*"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": place}
        return {"Version": "2012-10-17", "Statement": [statement]}
