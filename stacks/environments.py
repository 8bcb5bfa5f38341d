"""The environments: where each one runs, how large it is, and what happens to its data when it goes."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from aws_cdk import Duration, Environment, PermissionsBoundary, RemovalPolicy
from constructs import Node

from mlplatform_cdk.core import minutes
from mlplatform_cdk.foundation import SAGEMAKER_SERVICES
from mlplatform_cdk.release import Strategy
from mlplatform_cdk.routing import HostedZoneReference
from mlplatform_cdk.serving import ScalingRange
from mlplatform_cdk.workspace import Space, UserProfile
from stacks.known_regions import listed, unknown_region

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
class InAnotherAccount:
    """A region that serves from another account than the home's.

    :param region: its name.
    :param account: twelve digits.
    :param hosted_zone_id: a zone there, ``<region>.<domain_name>``, to which the environment's zone delegates.
    """

    region: str
    account: str
    hosted_zone_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEnvironment:
    """One environment of the platform.

    :param name: as in ``-c environment=dev``.
    :param account: twelve digits; ``-c account=…`` puts another in its place.
    :param region: the home, where data, training and the registry are; ``-c region=…`` puts another in its place.
    :param zones: over how many availability zones the network goes.
    :param interface_services: AWS services with an endpoint in the network; each costs by the hour and zone.
    :param removal_policy: what happens to data, keys and models when a stack goes.
    :param quiet_period: how long no more data may arrive before a retraining starts.
    :param processing_instance: runs preprocessing and evaluation.
    :param training_instance: trains; a GPU type where the model uses one.
    :param endpoint_instance: answers.
    :param endpoint_scaling: how many instances answer.
    :param requests_per_second: what a region's API takes before it answers 429, where there is a domain name; it must
        hold the load of a region that is lost, too: docs/region-health.md has the arithmetic; default: 100.
    :param strategy: how a version gets its traffic.
    :param users: who works in Studio.
    :param also_in: further regions that serve, in the same account or in another, which takes a domain name;
        ``-c also_in=…,…`` puts others in their place, and an empty one none; default: the home serves alone.
    :param domain_name: what callers of any region ask, such as ``models.example.com``; an empty ``-c domain_name=``
        takes it away; default: none, and callers ask the endpoint by SageMaker's API.
    :param zone: the hosted zone that holds it; ``-c zone_name=…`` and ``-c hosted_zone_id=…``.
    :param artifacts_bucket: the name that the home's bucket got, where it was made before there was a domain name;
        default: one that other regions can compute.
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
    also_in: tuple[str | InAnotherAccount, ...] = ()
    domain_name: str | None = None
    zone: HostedZoneReference | None = None
    artifacts_bucket: str | None = None
    emails: tuple[str, ...] = ()
    permissions_boundary: str | None = None
    requests_per_second: int = 100

    def __post_init__(self) -> None:
        """Refuse an account or a region that CDK would carry into ARNs, and regions that nothing leads to."""
        for account in (self.account, *(self.at(region).account for region in self.further_regions)):
            if not _ACCOUNT.fullmatch(account):
                raise UnknownEnvironmentError(f"the account must be twelve digits, got {account!r}")
        for region in (self.region, *self.further_regions):
            if not _REGION.fullmatch(region):
                raise UnknownEnvironmentError(f"the region must look like 'us-east-1', got {region!r}")
        regions = ", ".join((self.region, *self.further_regions))
        if len({self.region, *self.further_regions}) <= len(self.also_in):
            raise UnknownEnvironmentError(f"{self.name}: regions must be named once each, got {regions}")
        if (self.domain_name is None) != (self.zone is None):
            raise UnknownEnvironmentError(f"a domain name needs its zone, got {self.domain_name!r} and {self.zone!r}")
        if self.also_in and self.domain_name is None:
            further = ", ".join(self.further_regions)
            raise UnknownEnvironmentError(f"{self.name} must have a domain_name to serve in {further} too, got none")

    @property
    def aws(self) -> Environment:
        """Where its stacks go."""
        return Environment(account=self.account, region=self.region)

    @property
    def further_regions(self) -> tuple[str, ...]:
        """The names of the regions beside the home, in their order."""
        return tuple(one if isinstance(one, str) else one.region for one in self.also_in)

    @property
    def in_other_accounts(self) -> dict[str, InAnotherAccount]:
        """Those of them that lie in another account, by their names."""
        return {one.region: one for one in self.also_in if not isinstance(one, str)}

    def at(self, region: str) -> "PlatformEnvironment":
        """This environment as the stacks of one of its further regions see it."""
        other = self.in_other_accounts.get(region)
        return replace(self, region=region, account=other.account if other else self.account, also_in=())

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
    quiet_period=minutes(1),
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
    quiet_period=minutes(5),
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
    also_in=(
        "eu-central-1",  # another region is another line here: docs/regions.md
    ),
    domain_name="breast-cancer.models.example.com",
    zone=HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="models.example.com"),
    zones=3,
    interface_services=SAGEMAKER_SERVICES,
    removal_policy=RemovalPolicy.RETAIN,
    quiet_period=minutes(10),
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

    :raises UnknownEnvironmentError: naming those there are; for a region that CDK does not know, unless
        ``-c newer_regions=…`` names it.
    """
    name = node.try_get_context("environment")
    name = DEV.name if name is None else name
    if name not in BY_NAME:
        raise UnknownEnvironmentError(f"the environment must be one of {', '.join(BY_NAME)}, got {name!r}")
    environment = BY_NAME[name]
    told = {what: node.try_get_context(what) for what in ("account", "region", "also_in", "domain_name")}
    also_in, domain_name = environment.also_in, environment.domain_name
    if told["also_in"] is not None:
        also_in = listed(told["also_in"])
    if told["domain_name"] is not None:
        domain_name = str(told["domain_name"]) or None
    found = replace(
        environment,
        account=str(told["account"] or environment.account),
        region=str(told["region"] or environment.region),
        also_in=also_in,
        domain_name=domain_name,
        zone=_zone(node, environment) if domain_name else None,
    )
    regions = (*((found.region,) if told["region"] else ()), *found.further_regions)
    if regions and (wrong := unknown_region(regions, listed(node.try_get_context("newer_regions")))):
        raise UnknownEnvironmentError(wrong)
    return found


def _zone(node: Node, environment: PlatformEnvironment) -> HostedZoneReference | None:
    """The environment's zone, or that of the context."""
    own = environment.zone
    zone_name = node.try_get_context("zone_name") or (own and own.zone_name)
    hosted_zone_id = node.try_get_context("hosted_zone_id") or (own and own.hosted_zone_id)
    if not zone_name or not hosted_zone_id:
        return None
    try:
        return HostedZoneReference(hosted_zone_id=str(hosted_zone_id), zone_name=str(zone_name))
    except ValueError as wrong:
        raise UnknownEnvironmentError(str(wrong)) from None
