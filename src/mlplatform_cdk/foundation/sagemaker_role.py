"""Who runs in SageMaker: what every job's and model's role may do, besides reading and writing its own data."""

from collections.abc import Sequence

from constructs import Construct

from mlplatform_cdk.core import Access, PlatformRole, allowed, arn_of, service_principal
from mlplatform_cdk.foundation.job_network import JobNetwork

# What SageMaker documents for containers in a VPC, each held to what the service lets it be held to:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_CREATE_INTERFACE = "ec2:CreateNetworkInterface"
_ON_INTERFACES = (
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_ON_NOTHING = (
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
    :param network: where its containers have network interfaces; None: outside any VPC of the account.
    :param access: what else it may do from the start; default: nothing.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        description: str,
        log_groups: Sequence[str],
        metric_namespaces: str,
        network: JobNetwork | None,
        access: Sequence[Access] = (),
    ) -> None:
        groups = [arn_of(scope, "logs", f"log-group:/aws/sagemaker/{name}:*") for name in log_groups]
        super().__init__(
            scope,
            id,
            assumed_by=service_principal("sagemaker.amazonaws.com"),
            description=description,
            access=[
                _logging(groups, metric_namespaces),
                *([] if network is None else [_standing_in(scope, network)]),
                *access,
            ],
        )


def _logging(groups: Sequence[str], metric_namespaces: str) -> Access:
    only = {"StringLike": {"cloudwatch:namespace": metric_namespaces}}
    return Access(
        [allowed(_LOG, *groups), allowed(["cloudwatch:PutMetricData"], "*", conditions=only)],
        patterns={
            **dict.fromkeys(groups, "log streams, which SageMaker names after jobs and instances"),
            "*": "metrics, ECR's login and EC2's lists take no resource",
        },
    )


def _standing_in(scope: Construct, network: JobNetwork) -> Access:
    """Interfaces in the subnets and groups of ``network`` and nowhere else; EC2 names them when it makes them."""
    interfaces = arn_of(scope, "ec2", "network-interface/*")
    standing = [
        *(arn_of(scope, "ec2", f"subnet/{id_}", account=network.subnet_account) for id_ in network.subnet_ids),
        *(arn_of(scope, "ec2", f"security-group/{id_}") for id_ in network.security_group_ids),
    ]
    return Access(
        [
            allowed([_CREATE_INTERFACE], *standing),
            allowed([_CREATE_INTERFACE, *_ON_INTERFACES], interfaces),
            allowed(_ON_NOTHING, "*"),
        ],
        patterns={interfaces: "network interfaces, which EC2 names when SageMaker makes them"},
    )
