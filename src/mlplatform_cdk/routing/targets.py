"""Where a plan's names lie: the zone of all, and what one region takes, with a zone of its own in another account."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlplatform_cdk.routing.names import wrong_name

# https://docs.aws.amazon.com/Route53/latest/APIReference/API_GeoLocation.html
Continent = Literal["AF", "AN", "AS", "EU", "NA", "OC", "SA"]
_CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")

# https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
_MOST_WEIGHT = 255

_ACCOUNT = re.compile(r"\d{12}")
_ZONE_ID = re.compile(r"[A-Z0-9]{1,32}")  # as CloudFormation takes it


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedZoneReference:
    """A Route 53 zone that exists; every region without a zone of its own writes its records there.

    :param hosted_zone_id: its id, literally: a token would tie one region's stack to another.
    :param zone_name: its name, such as ``example.com``.
    :param private: whether only VPCs see it; default: everyone does.
    """

    hosted_zone_id: str
    zone_name: str
    private: bool = False

    def __post_init__(self) -> None:
        """Refuse what no zone is called."""
        if not _ZONE_ID.fullmatch(self.hosted_zone_id):
            raise ValueError(f"hosted_zone_id must be literal, such as 'Z0123456789ABC', got {self.hosted_zone_id!r}")
        if wrong := wrong_name(self.zone_name):
            raise ValueError(f"zone_name {wrong}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalTarget:
    """What one region takes of the requests.

    :param account: whose region; default: that of the stack.
    :param zone: the region's own zone, in its account, named as the region's own name is; needed where that account is
        not that of the plan's zone, since each region's stack writes its own records; the plan's zone delegates to it.
        docs/regions.md says what else there is to do once; default: the plan's zone.
    :param weight: its part among all weights, 0 to 255, with ``Routing.weighted()``; default: 100.
    :param continents: where its callers are, with ``Routing.geo()``, such as ``("EU", "AF")``; default: nowhere of its
        own, so that it serves as the default or as another's refuge.
    """

    account: str | None = None
    zone: HostedZoneReference | None = None
    weight: int | None = None
    continents: Sequence[Continent] = ()

    def __post_init__(self) -> None:
        """Refuse what Route 53 refuses."""
        object.__setattr__(self, "continents", tuple(self.continents))
        if self.account is not None and not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"account must have 12 digits, got {self.account!r}")
        if self.weight is not None and not 0 <= self.weight <= _MOST_WEIGHT:
            raise ValueError(f"weight must lie in 0 to {_MOST_WEIGHT}, got {self.weight}")
        if unknown := [one for one in self.continents if one not in _CONTINENTS]:
            raise ValueError(f"continents must be among {', '.join(_CONTINENTS)}, got {', '.join(unknown)}")


def wrong_zones(domain_name: str, zone: HostedZoneReference, targets: Mapping[str, RegionalTarget]) -> str:
    """What of a plan could not be written where it should be; empty: all could.

    :param domain_name: the one name.
    :param zone: which holds it.
    :param targets: region to what it takes.
    """
    shared = {target.account for target in targets.values() if target.account and not target.zone}
    if len(shared) > 1:
        return (
            f"regions of other accounts must have zones of their own (zone=), got {' and '.join(sorted(shared))} in one"
        )
    own = {region: target.zone for region, target in targets.items() if target.zone}
    for region, other in own.items():
        if other.zone_name != f"{region}.{domain_name}":
            return f"zone of {region} must be named '{region}.{domain_name}', got {other.zone_name!r}"
    if any(one.private for one in (*own.values(), zone)) and own:
        return "regions with zones of their own must have public ones, got a private one"
    if own and domain_name == zone.zone_name:
        return f"domain_name must lie below {domain_name!r} where regions have own zones: no zone's name can be a CNAME"
    return ""
