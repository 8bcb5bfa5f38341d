"""The one name: which region's API it leads to, for whom, and by whose word a region counts as in service.

Everything is computed from the plan: no stack of a region is asked, and a region that comes or goes changes only its
own records and checks here.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, arn_of, grant, permission
from mlplatform_cdk.routing.addresses import publish_address
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.runtimekit.region_address import NamesAddress
from mlplatform_cdk.runtimekit.region_health import IN_SERVICE

_Check = route53.CfnHealthCheck.HealthCheckConfigProperty
_Location = route53.CfnRecordSet.GeoLocationProperty
_HTTPS = 443
# An alias leads to a record of its own type, which must be there: regional APIs have both, load balancers inside one.
_KINDS = ("A", "AAAA")
_PRIVATE_KINDS = ("A",)
# What leads to a name of another zone, which an alias cannot:
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
_BETWEEN_ZONES = "CNAME"


class GlobalNames(Construct):
    """The records and health checks of the one name; its stack deploys after those of the regions.

    A region is in service for Route 53 while all of its checks say so: ``/health`` over HTTPS holds the word of the
    probe's verdict, and the region's alarm does not ring (a silent alarm keeps what it said last). In a private zone
    the alarm is alone, since Route 53's checkers reach no private address.
    Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html

    Where a region has a zone of its own, in another account, all regions are led to by CNAMEs with the plan's ``ttl``.

    Where no region is in service, Route 53 answers as if all were.
    Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html

    By geography, each continent has its own region, with all regions by latency behind it.

    :param plan: the regions and their names.
    :param switches: per region the ARN of a routing control of Application Recovery Controller, which takes the region
        out when it is off; see ``RegionSwitches``; default: no such switch.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        switches: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._plan = plan
        self._switches = dict(switches or {})
        if unknown := sorted({*self._switches} - {*plan.targets}):
            regions = ", ".join(plan.targets)
            raise ConfigurationError(self, f"switches must be of the plan's regions ({regions}), got {unknown[0]}")
        self._scopes = {region: Construct(self, region) for region in plan.targets}
        #: Per region, the id of the check that all of its records follow.
        self.health_checks = {region: self._define_checks(region) for region in plan.targets}
        match plan.routing.kind:
            case "latency":
                self._define_nearest(plan.domain_name)
            case "weighted":
                self._define_weighted()
            case "geo":
                self._define_geography()
        self._address = NamesAddress(domain=plan.domain_name, regions=[*plan.targets], switches=self._switches)
        publish_address(self, self._address, f"The regions of {plan.domain_name}")

    def grant_status(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` find the regions by ``mlplatform region``."""
        grant(grantee, permission(["ssm:GetParameter"], arn_of(self, "ssm", f"parameter{self._address.parameter}")))

    def _define_checks(self, region: str) -> str:
        """Whether ``region`` is in service: one check over all that Route 53 knows of it."""
        own = self._scopes[region]
        alarm = _Check(
            type="CLOUDWATCH_METRIC",
            alarm_identifier=route53.CfnHealthCheck.AlarmIdentifierProperty(
                name=self._plan.alarm_name(region), region=region
            ),
            insufficient_data_health_status="LastKnownStatus",
        )
        # An alarm is named by region and name, so it is this account's; of another's region the probe's word counts.
        # https://docs.aws.amazon.com/Route53/latest/APIReference/API_AlarmIdentifier.html
        elsewhere = self._plan.is_elsewhere(region)
        children = [] if elsewhere else [self._check(own, "AlarmCheck", f"{region}: alarm", alarm)]
        if not self._plan.zone.private:
            children.append(self._check(own, "HealthCheck", f"{region}: /health", self._asked(region)))
        if region in self._switches:
            switch = _Check(type="RECOVERY_CONTROL", routing_control_arn=self._switches[region])
            children.append(self._check(own, "SwitchCheck", f"{region}: switch", switch))
        together = _Check(type="CALCULATED", child_health_checks=children, health_threshold=len(children))
        return self._check(own, "InService", f"{region}: in service", together)

    def _asked(self, region: str) -> _Check:
        """Route 53 itself asks for the verdict, from several places of the world."""
        return _Check(
            type="HTTPS_STR_MATCH",
            fully_qualified_domain_name=self._plan.regional_name(region),
            port=_HTTPS,
            resource_path="/health",
            search_string=IN_SERVICE,
            enable_sni=True,
            request_interval=self._plan.checks.interval_s,
            failure_threshold=self._plan.checks.failures,
        )

    @property
    def _kinds(self) -> tuple[str, ...]:
        """Of the records that lead to others of this zone: their own type."""
        if self._plan.spans_zones:
            return (_BETWEEN_ZONES,)
        return _PRIVATE_KINDS if self._plan.zone.private else _KINDS

    def _check(self, scope: Construct, id: str, title: str, config: _Check) -> str:
        tag = route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=f"{self._plan.domain_name}, {title}")
        check = route53.CfnHealthCheck(scope, id, health_check_config=config, health_check_tags=[tag])
        return check.attr_health_check_id

    def _define_nearest(self, name: str) -> None:
        for region in self._plan.targets:
            self._lead(region, "Nearest", name, region=region)

    def _define_weighted(self) -> None:
        for region in self._plan.targets:
            self._lead(region, "Weighted", self._plan.domain_name, weight=self._plan.weight(region))

    def _define_geography(self) -> None:
        """``models…`` by continent → ``<region>.home.models…``, which is that region, or else the nearest of all."""
        plan = self._plan
        anywhere = f"anywhere.{plan.domain_name}"
        self._define_nearest(anywhere)
        for region, target in plan.targets.items():
            home = f"{region}.home.{plan.domain_name}"
            places = {f"From{code}": _Location(continent_code=code) for code in target.continents}
            if region == plan.routing.default_region:
                places["FromAnywhere"] = _Location(country_code="*")
            if not places:
                continue
            self._lead(region, "Home", home, failover="PRIMARY", set_identifier="home")
            self._alias(region, "Refuge", home, anywhere, failover="SECONDARY", set_identifier="refuge")
            for record, location in places.items():
                code = record.removeprefix("From")
                self._alias(region, record, plan.domain_name, home, geo_location=location, set_identifier=code)

    def _lead(self, place: str, id: str, name: str, **how: Any) -> None:
        """``name`` leads to the region ``place`` while that is in service."""
        given = {"set_identifier": place, "health_check_id": self.health_checks[place]} | how
        target = self._plan.target_name(place)
        if not self._plan.spans_zones:
            self._alias(place, id, name, target, **given)
            return
        route53.CfnRecordSet(
            self._scopes[place],
            f"{id}{_BETWEEN_ZONES}",
            hosted_zone_id=self._plan.zone.hosted_zone_id,
            name=f"{name}.",
            type=_BETWEEN_ZONES,
            resource_records=[f"{target}."],
            ttl=f"{self._plan.ttl.total_seconds():.0f}",
            **given,
        )

    def _alias(self, place: str, id: str, name: str, target: str, **how: Any) -> None:
        """``name`` is ``target``, in the same zone.

        Whether that leads anywhere is asked where no check says so, and of failover records, which must ask:
        https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
        """
        scope = self._scopes[place]
        zone = self._plan.zone.hosted_zone_id
        asks_target = "health_check_id" not in how or "failover" in how
        for kind in self._kinds:
            route53.CfnRecordSet(
                scope,
                f"{id}{kind}",
                hosted_zone_id=zone,
                name=f"{name}.",
                type=kind,
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=f"{target}.", hosted_zone_id=zone, evaluate_target_health=asks_target
                ),
                **how,
            )
