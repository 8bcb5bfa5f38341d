"""What the regions of an environment share: names that each stack computes by itself, so that none asks another's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlplatform_cdk import routing
from mlplatform_cdk.routing import HostedZoneReference, MultiRegionEndpoint, RegionalTarget
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment, UnknownEnvironmentError

if TYPE_CHECKING:
    from mlplatform_cdk.release.train import Stop
    from mlplatform_cdk.routing import RegionalData

# Route 53 tells CloudWatch of its health checks here and nowhere else:
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
ROUTE_53_METRICS = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """The regions of an environment with a domain name, the home first.

    :param endpoints: the one name, and each region's own.
    :param data: the buckets and keys of the regions in the home's account; to another account the train brings all.
    :param stops: where the release train goes, in this order: home alone, too, so that further regions come and go
        beside it.
    """

    endpoints: MultiRegionEndpoint
    data: "RegionalData"
    stops: "tuple[Stop, ...]"

    @classmethod
    def of(cls, environment: PlatformEnvironment) -> "Regions | None":
        """Those of ``environment``; None where it has no domain name.

        :raises UnknownEnvironmentError: for regions that Route 53 cannot route between, or names that nothing can have.
        """
        if environment.domain_name is None or environment.zone is None:
            return None
        regions = (environment.region, *environment.further_regions)
        elsewhere = environment.in_other_accounts
        try:
            return cls(
                endpoints=MultiRegionEndpoint(
                    domain_name=environment.domain_name,
                    zone=environment.zone,
                    regions=_targets(environment),
                ),
                data=routing.RegionalData(
                    name=f"mlplatform-{environment.name}",
                    home=environment.region,
                    account=environment.account,
                    regions=[region for region in regions if region not in elsewhere],
                    home_bucket=environment.artifacts_bucket,
                ),
                stops=tuple(_stop(environment, region) for region in regions),
            )
        except ValueError as wrong:
            raise UnknownEnvironmentError(f"{environment.name}: {wrong}") from None

    def stop_in(self, region: str) -> "Stop":
        """The train's stop in ``region``."""
        return next(stop for stop in self.stops if stop.region == region)

    def copies_from(self, region: str) -> bool:
        """Whether archives are replicated from ``region``."""
        return region == self.data.home and bool(self.data.others)

    @property
    def names_region(self) -> str:
        """Where the stack of the names is: where the alarms over all regions can hear of them."""
        return ROUTE_53_METRICS if self.data.partition == "aws" else self.data.home


def _targets(environment: PlatformEnvironment) -> dict[str, RegionalTarget]:
    targets = {region: RegionalTarget() for region in (environment.region, *environment.further_regions)}
    for region, other in environment.in_other_accounts.items():
        zone_name = f"{region}.{environment.domain_name}"
        zone = HostedZoneReference(hosted_zone_id=other.hosted_zone_id, zone_name=zone_name)
        targets[region] = RegionalTarget(account=other.account, zone=zone)
    return targets


def _stop(environment: PlatformEnvironment, region: str) -> "Stop":
    from mlplatform_cdk.release.train import Stop

    return Stop(
        name=region,
        account=environment.at(region).account,
        region=region,
        endpoint_name=breast_cancer.endpoint_name(environment),
        external_id=f"{environment.name}-train/{environment.account}",
    )
