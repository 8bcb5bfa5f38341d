"""Who a served model is: it reads its archive, logs, and keeps what the endpoint captures."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import PlatformImage, PlatformRole, acknowledge, acknowledge_wildcards, grant_read, grant_write


class ModelRole(PlatformRole):
    """The execution role of an endpoint's models.

    :param endpoint_name: the endpoint that they answer behind.
    :param image: what serves them.
    :param artifacts: where their archives lie.
    :param capture_prefix: where in ``artifacts`` requests are kept; empty: nowhere.
    :param in_vpc: do they have network interfaces in a VPC.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        image: PlatformImage,
        artifacts: s3.IBucket,
        capture_prefix: str,
        in_vpc: bool,
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"Runs the models of the endpoint {endpoint_name}",
        )
        grant_read(artifacts, self, prefix="runs/")
        image.grant_pull(self)
        if capture_prefix:
            grant_write(artifacts, self, prefix=capture_prefix)
        self._grant_observability(endpoint_name)
        acknowledge(
            self,
            {
                "AwsSolutions-IAM5[Resource::*]": "ECR's login and CloudWatch's PutMetricData take no resource, nor do "
                "calls on network interfaces that SageMaker has yet to make"
            },
        )
        if in_vpc:
            self._grant_network_interfaces()

    def _grant_observability(self, endpoint_name: str) -> None:
        group = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/Endpoints/{endpoint_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        iam.Grant.add_to_principal(
            grantee=self,
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resource_arns=[group],
        )
        acknowledge_wildcards(self, {group: "the log streams of one endpoint, which SageMaker names"})
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
            )
        )

    def _grant_network_interfaces(self) -> None:
        """What SageMaker documents for a model in a VPC."""
        iam.Grant.add_to_principal(
            grantee=self,
            actions=[
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resource_arns=["*"],
        )
