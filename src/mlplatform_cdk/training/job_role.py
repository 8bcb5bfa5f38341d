"""Who a job is: it reads the data set and the artifacts of runs, writes its own, and logs."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformRole,
    acknowledge_wildcards,
    grant_decrypt,
    grant_encrypt,
    grant_read,
    grant_write,
)

_LOG_GROUPS = ("TrainingJobs", "ProcessingJobs")


class JobRole(PlatformRole):
    """The role of a pipeline's SageMaker jobs.

    :param lake: where the data lies.
    :param prefix: the data set's folder in the lake.
    :param artifacts: where runs leave what they made.
    :param key: encrypts the jobs' volumes and outputs.
    :param in_vpc: do the jobs have network interfaces in a VPC.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: s3.IBucket,
        prefix: str,
        artifacts: s3.IBucket,
        key: kms.IKey,
        in_vpc: bool,
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description="Runs the SageMaker jobs of a retraining pipeline",
        )
        grant_read(lake, self, prefix=prefix)
        grant_read(artifacts, self, prefix="runs/")
        grant_write(artifacts, self, prefix="runs/")
        self._grant_key(key)
        self._grant_observability()
        if in_vpc:
            self._grant_network_interfaces()

    def _grant_key(self, key: kms.IKey) -> None:
        grant_decrypt(key, self)
        grant_encrypt(key, self)
        # SageMaker hands the volumes' key on to EBS with a grant.
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant"],
                resources=[key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )

    def _grant_observability(self) -> None:
        groups = [
            Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"/aws/sagemaker/{name}:*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in _LOG_GROUPS
        ]
        iam.Grant.add_to_principal(
            grantee=self,
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resource_arns=groups,
        )
        acknowledge_wildcards(self, dict.fromkeys(groups, "the log streams of jobs, whose names come with the runs"))
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            )
        )
        acknowledge_wildcards(self, {"*": "metrics, ECR's login and network interfaces to be made take no resource"})

    def _grant_network_interfaces(self) -> None:
        """What SageMaker documents for a job in a VPC; the interfaces do not exist yet and take no resource."""
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
