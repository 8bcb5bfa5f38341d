"""Who runs in SageMaker: what every job's and model's role may do, besides reading and writing its own data."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, acknowledge_wildcards

# What SageMaker documents for containers in a VPC:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
_NETWORK_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


class SageMakerRole(PlatformRole):
    """A role that SageMaker runs containers under: it logs, puts metrics, and stands in a VPC where there is one.

    :param description: what it is for, one sentence.
    :param log_groups: the groups below ``/aws/sagemaker/`` that it writes to.
    :param metric_namespaces: a pattern of the namespaces that it puts metrics into.
    :param in_vpc: do its containers have network interfaces in a VPC of the account.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        description: str,
        log_groups: Sequence[str],
        metric_namespaces: str,
        in_vpc: bool,
    ) -> None:
        super().__init__(scope, id, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"), description=description)
        self._grant_logs(log_groups)
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": metric_namespaces}},
            )
        )
        if in_vpc:
            iam.Grant.add_to_principal(grantee=self, actions=[*_NETWORK_INTERFACES], resource_arns=["*"])
        acknowledge_wildcards(self, {"*": "metrics, ECR's login and network interfaces to be made take no resource"})

    def _grant_logs(self, names: Sequence[str]) -> None:
        groups = [
            Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"/aws/sagemaker/{name}:*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in names
        ]
        iam.Grant.add_to_principal(
            grantee=self,
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resource_arns=groups,
        )
        acknowledge_wildcards(
            self, dict.fromkeys(groups, "log streams, which SageMaker names after jobs and instances")
        )
