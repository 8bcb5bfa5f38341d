"""One frozen value from which each region and the names compute what they share, so that no stack asks another.

Nothing of it is made by CDK: the probe, the client and the command line read the same names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, cast

from mlplatform_cdk.routing.names import CERTIFICATE_NAME, lies_in, wrong_name, wrong_regions
from mlplatform_cdk.routing.targets import HostedZoneReference, RegionalTarget, wrong_zones

__all__ = [
    "HealthCheckSettings",
    "HostedZoneReference",
    "MultiRegionEndpoint",
    "ProbeSettings",
    "RegionalTarget",
    "Routing",
]

_LONGEST_TTL = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How callers are spread over the regions that are in service: ``latency()``, ``weighted()`` or ``geo()``."""

    kind: Literal["latency", "weighted", "geo"]
    default_region: str | None = None

    @classmethod
    def latency(cls) -> "Routing":
        """Each caller to the region that is nearest by Route 53's measurements."""
        return cls(kind="latency")

    @classmethod
    def weighted(cls) -> "Routing":
        """Each region its ``weight`` among all."""
        return cls(kind="weighted")

    @classmethod
    def geo(cls, *, default_region: str) -> "Routing":
        """Each continent to the region that names it.

        :param default_region: where callers of all other continents go.
        """
        return cls(kind="geo", default_region=default_region)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """How a region's own probe asks, and how slowly it changes its mind.

    :param interval_s: seconds from one round of golden requests to the next, 5 to 30; default: 10.
    :param unhealthy_after: bad rounds in a row that take a region out of service; default: 3.
    :param healthy_after: good rounds in a row that bring it back; default: 5.
    """

    interval_s: int = 10
    unhealthy_after: int = 3
    healthy_after: int = 5

    def __post_init__(self) -> None:
        """Refuse a probe that a schedule of a minute cannot carry, or that never decides."""
        shortest, longest = 5, 30
        if not shortest <= self.interval_s <= longest:
            raise ValueError(f"interval_s must lie in {shortest} to {longest}, got {self.interval_s}")
        if self.unhealthy_after < 1 or self.healthy_after < 1:
            raise ValueError(
                "unhealthy_after and healthy_after must be at least 1, "
                f"got {self.unhealthy_after} and {self.healthy_after}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheckSettings:
    """How Route 53 asks for a region's ``/health``.

    :param interval_s: seconds between a checker's requests, 10 or 30; it cannot be changed later but by another check;
        default: 10. Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
    :param failures: bad answers in a row that count, 1 to 10; default: 1, since the probe has damped them already.
    """

    interval_s: Literal[10, 30] = 10
    failures: int = 1

    def __post_init__(self) -> None:
        """Refuse what Route 53 refuses."""
        most = 10
        if self.interval_s not in (10, 30):
            raise ValueError(f"interval_s must be 10 or 30, got {self.interval_s}")
        if not 1 <= self.failures <= most:
            raise ValueError(f"failures must lie in 1 to {most}, got {self.failures}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiRegionEndpoint:
    """Many regions behind one name. Every stack of every region computes its names from this value alone.

    :param domain_name: the one name, such as ``models.example.com``.
    :param zone: the zone that holds it.
    :param regions: the regions, or what each of them takes; adding one touches no other.
    :param routing: how callers are spread; default: by latency.
    :param probe: how each region's probe asks; default: every 10 s.
    :param checks: how Route 53 asks; default: every 10 s.
    :param ttl: seconds for which resolvers keep a record that is no alias; default: 30 s. A record that is an alias of
        an AWS resource has that resource's own, which nobody can set.
        Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
    """

    domain_name: str
    zone: HostedZoneReference
    regions: Mapping[str, RegionalTarget] | Sequence[str]
    routing: Routing = field(default_factory=Routing.latency)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    checks: HealthCheckSettings = field(default_factory=HealthCheckSettings)
    ttl: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        """Refuse a plan that could never deploy."""
        given = self.regions
        if isinstance(given, str):
            raise ValueError(f"regions must be a list or a mapping, got {given!r}; try [{given!r}]")  # noqa: TRY004
        targets = dict(given) if isinstance(given, Mapping) else {region: RegionalTarget() for region in given}
        if len(targets) < len(given):
            raise ValueError(f"regions must be named once each, got {', '.join(given)}")
        object.__setattr__(self, "regions", MappingProxyType(targets))
        if (
            wrong := self._wrong_names()
            or wrong_regions(targets)
            or wrong_zones(self.domain_name, self.zone, targets)
            or self._wrong_routing()
        ):
            raise ValueError(wrong)

    @property
    def targets(self) -> Mapping[str, RegionalTarget]:
        """Each region with what it takes."""
        return cast("Mapping[str, RegionalTarget]", self.regions)

    def others(self, region: str) -> tuple[str, ...]:
        """All regions but one."""
        self._require(region)
        return tuple(name for name in self.targets if name != region)

    def regional_name(self, region: str) -> str:
        """The name of this region alone: for health checks, the client, and a look at a region that is drained."""
        self._require(region)
        return f"{region}.{self.domain_name}"

    def target_name(self, region: str) -> str:
        """Leads to this region under the one name: the API answers for the one name, whichever alias led there."""
        self._require(region)
        own = self.targets[region].zone is not None
        return f"target.{region}.{self.domain_name}" if own else f"{region}.target.{self.domain_name}"

    def zone_of(self, region: str) -> HostedZoneReference:
        """Where a region's own names are written."""
        self._require(region)
        return self.targets[region].zone or self.zone

    def is_elsewhere(self, region: str) -> bool:
        """Whether a region has a zone of its own, and so is in another account than the plan's zone."""
        self._require(region)
        return self.targets[region].zone is not None

    @property
    def spans_zones(self) -> bool:
        """Whether some region has a zone of its own: an alias leads to its own zone only, so the names are CNAMEs."""
        return any(map(self.is_elsewhere, self.targets))

    def alarm_name(self, region: str) -> str:
        """The alarm that Route 53 reads, by its name and region."""
        self._require(region)
        return f"{self.domain_name}-{region}-out-of-service"

    def weight(self, region: str) -> int:
        """A region's weight."""
        self._require(region)
        given = self.targets[region].weight
        return 100 if given is None else given

    def _require(self, region: str) -> None:
        if region not in self.targets:
            raise ValueError(f"region must be one of the plan's ({', '.join(self.targets)}), got {region!r}")

    def _wrong_names(self) -> str:
        if wrong := wrong_name(self.domain_name):
            return f"domain_name {wrong}"
        if len(self.domain_name) > CERTIFICATE_NAME:
            length = len(self.domain_name)
            return f"domain_name must have at most {CERTIFICATE_NAME} characters for a certificate, got {length}"
        if not lies_in(self.domain_name, self.zone.zone_name):
            return f"domain_name must lie in the zone {self.zone.zone_name!r}, got {self.domain_name!r}"
        if not timedelta(seconds=1) <= self.ttl <= _LONGEST_TTL:
            return f"ttl must lie in a second to an hour, got {self.ttl.total_seconds():g} s"
        return ""

    def _wrong_routing(self) -> str:
        """What Route 53 could not do by this routing."""
        if self.routing.kind == "geo":
            return self._wrong_geo()
        if any(target.continents for target in self.targets.values()):
            return "continents must be given with Routing.geo() only; take them out, or route by geography"
        if self.routing.kind == "weighted":
            return "" if any(map(self.weight, self.targets)) else "at least one region must have a weight above 0"
        if any(target.weight is not None for target in self.targets.values()):
            return "weight must be given with Routing.weighted() only; take it out, or route by weights"
        return ""

    def _wrong_geo(self) -> str:
        if self.routing.default_region not in self.targets:
            return f"default_region must be one of the plan's regions, got {self.routing.default_region!r}"
        owners: dict[str, str] = {}
        for region, target in self.targets.items():
            for continent in target.continents:
                if owner := owners.get(continent):
                    return f"a continent must lead to one region, got {continent} for {owner} and {region}"
                owners[continent] = region
        return ""
