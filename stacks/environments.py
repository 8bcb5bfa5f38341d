"""The environments: where each one runs, how large it is, and what happens to its data when it goes."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from aws_cdk import Duration, Environment, PermissionsBoundary, RemovalPolicy
from constructs import Node

from mlplatform_cdk.foundation import SAGEMAKER_SERVICES
from mlplatform_cdk.release import Strategy
from mlplatform_cdk.serving import ScalingRange
from mlplatform_cdk.workspace import Space, UserProfile

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
# The regions' prefix lists of S3 and DynamoDB. For another region: aws ec2 describe-managed-prefix-lists
_PREFIX_LISTS = {
    "eu-central-1": ("pl-6ea54007", "pl-66a5400f"),
    "eu-west-1": ("pl-6da54004", "pl-6fa54006"),
    "us-east-1": ("pl-63a5400a", "pl-02cd2c6b"),
    "us-west-2": ("pl-68a54001", "pl-00a54069"),
}
# Nobody waits and nothing is kept: tested, all traffic, and blue gone.
AT_ONCE = Strategy.all_at_once(observe=timedelta(0), bake=timedelta(0), retention=timedelta(0), warm_up_requests=10)


class UnknownEnvironmentError(ValueError):
    """What was asked for in the context names no environment of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEnvironment:
    """One environment of the platform.

    :param name: as in ``-c environment=dev``.
    :param account: twelve digits; ``-c account=…`` puts another in its place.
    :param region: ``-c region=…`` puts another in its place.
    :param zones: over how many availability zones the network goes.
    :param interface_services: AWS services with an endpoint in the network; each costs by the hour and zone.
    :param removal_policy: what happens to data, keys and models when a stack goes.
    :param quiet_period: how long no more data may arrive before a retraining starts.
    :param processing_instance: runs preprocessing and evaluation.
    :param training_instance: trains; a GPU type where the model uses one.
    :param endpoint_instance: answers.
    :param endpoint_scaling: how many instances answer.
    :param strategy: how a version gets its traffic.
    :param users: who works in Studio.
    :param emails: who hears of failures and releases; default: nobody.
    :param permissions_boundary: name of a managed policy of the account that bounds every role; default: none does.
    """

    name: str
    account: str
    region: str
    zones: int
    interface_services: tuple[str, ...]
    removal_policy: RemovalPolicy
    quiet_period: Duration
    processing_instance: str
    training_instance: str
    endpoint_instance: str
    endpoint_scaling: ScalingRange
    strategy: Strategy
    users: tuple[UserProfile, ...]
    emails: tuple[str, ...] = ()
    permissions_boundary: str | None = None

    def __post_init__(self) -> None:
        """Refuse an account or a region that CDK would carry into ARNs."""
        if not _ACCOUNT.fullmatch(self.account):
            raise UnknownEnvironmentError(f"the account must be twelve digits, got {self.account!r}")
        if not _REGION.fullmatch(self.region):
            raise UnknownEnvironmentError(f"the region must look like 'us-east-1', got {self.region!r}")

    @property
    def aws(self) -> Environment:
        """Where its stacks go."""
        return Environment(account=self.account, region=self.region)

    @property
    def boundary(self) -> PermissionsBoundary | None:
        """What CDK puts on every role of its stacks."""
        name = self.permissions_boundary
        return None if name is None else PermissionsBoundary.from_name(name)

    @property
    def gateway_prefix_lists(self) -> tuple[str, ...]:
        """The region's prefix lists, or none where they are not known; see ``Network``."""
        return _PREFIX_LISTS.get(self.region, ())

    def parameter(self, room: str, what: str) -> str:
        """The name under which the stack of ``room`` publishes ``what``."""
        return f"/mlplatform/{self.name}/{room}/{what}"


DEV = PlatformEnvironment(
    name="dev",
    account="123456789012",
    region="us-east-1",
    zones=2,
    interface_services=("kms", "logs", "sagemaker.api", "sagemaker.runtime", "sts", "studio"),
    removal_policy=RemovalPolicy.DESTROY,
    quiet_period=Duration.minutes(1),
    processing_instance="ml.m5.large",
    training_instance="ml.m5.large",
    endpoint_instance="ml.m5.large",
    endpoint_scaling=ScalingRange(minimum=1, maximum=2),
    strategy=AT_ONCE,
    users=(UserProfile(name="developer", spaces=(Space(name="developer-lab", app="JupyterLab"),)),),
)

STAGING = PlatformEnvironment(
    name="staging",
    account="444455556666",
    region="eu-west-1",
    zones=2,
    interface_services=SAGEMAKER_SERVICES,
    removal_policy=RemovalPolicy.RETAIN,
    quiet_period=Duration.minutes(5),
    processing_instance="ml.m5.xlarge",
    training_instance="ml.m5.xlarge",
    endpoint_instance="ml.c5.large",
    endpoint_scaling=ScalingRange(minimum=1, maximum=2),
    strategy=Strategy.linear(),
    users=(UserProfile(name="developer", spaces=(Space(name="developer-editor", app="CodeEditor"),)),),
)

PROD = PlatformEnvironment(
    name="prod",
    account="777788889999",
    region="eu-west-1",
    zones=3,
    interface_services=SAGEMAKER_SERVICES,
    removal_policy=RemovalPolicy.RETAIN,
    quiet_period=Duration.minutes(10),
    processing_instance="ml.m5.2xlarge",
    training_instance="ml.g4dn.xlarge",
    endpoint_instance="ml.c5.xlarge",
    endpoint_scaling=ScalingRange(minimum=2, maximum=8),
    strategy=Strategy.linear(),
    users=(
        UserProfile(name="scientist", spaces=(Space(name="scientist-lab", app="JupyterLab"),)),
        UserProfile(name="engineer", spaces=(Space(name="team-editor", app="CodeEditor", shared=True),)),
    ),
)

BY_NAME = {environment.name: environment for environment in (DEV, STAGING, PROD)}


def chosen(node: Node) -> PlatformEnvironment:
    """The environment that the context of ``node`` asks for; ``dev`` where it asks for none.

    :raises UnknownEnvironmentError: naming those there are.
    """
    name = node.try_get_context("environment")
    name = DEV.name if name is None else name
    if name not in BY_NAME:
        raise UnknownEnvironmentError(f"the environment must be one of {', '.join(BY_NAME)}, got {name!r}")
    environment = BY_NAME[name]
    account = node.try_get_context("account") or environment.account
    region = node.try_get_context("region") or environment.region
    return replace(environment, account=str(account), region=str(region))
