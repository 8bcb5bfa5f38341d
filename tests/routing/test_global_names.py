"""Where does the one name lead, and by whose word?"""

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing import (
    GlobalNames,
    HostedZoneReference,
    MultiRegionEndpoint,
    RegionalTarget,
    RegionSwitches,
    Routing,
)

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=["eu-west-1", "us-east-1"])
GEO = replace(
    PLAN,
    regions={"eu-west-1": RegionalTarget(continents=("EU", "AF")), "us-east-1": RegionalTarget()},
    routing=Routing.geo(default_region="us-east-1"),
)


def resources(plan: MultiRegionEndpoint, **more: Any) -> dict[str, dict[str, Any]]:
    """The template's resources by their logical ids."""
    stack = PlatformStack(App(), "Names", env=Environment(account="123456789012", region="us-west-2"))
    if more.pop("switched", False):
        more["switches"] = RegionSwitches(stack, "Switches", plan=plan).arns
    GlobalNames(stack, "Names", plan=plan, **more)
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
    return found


def records(made: dict[str, dict[str, Any]], name: str, kind: str = "A") -> list[dict[str, Any]]:
    of = [one["Properties"] for one in made.values() if one["Type"] == "AWS::Route53::RecordSet"]
    return [one for one in of if (one["Name"], one["Type"]) == (f"{name}.", kind)]


def checks(made: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"]["HealthCheckConfig"]
        for name, one in made.items()
        if one["Type"] == "AWS::Route53::HealthCheck"
    }


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_each_caller_is_led_to_the_nearest_region_that_is_in_service(kind: str) -> None:
    made = resources(PLAN)

    found = records(made, "models.example.com", kind)

    assert {one["Region"]: one["AliasTarget"]["DNSName"] for one in found} == {
        "eu-west-1": "eu-west-1.target.models.example.com.",
        "us-east-1": "us-east-1.target.models.example.com.",
    }
    followed = {one["Region"]: one["HealthCheckId"]["Fn::GetAtt"][0] for one in found}
    assert {region: checks(made)[name]["Type"] for region, name in followed.items()} == {
        "eu-west-1": "CALCULATED",
        "us-east-1": "CALCULATED",
    }


ELSEWHERE = RegionalTarget(
    account="210987654321",
    zone=HostedZoneReference(hosted_zone_id="Z9", zone_name="eu-west-1.models.example.com"),
)


def test_with_a_region_in_another_account_the_name_leads_between_zones_for_the_plans_time() -> None:
    made = resources(replace(PLAN, regions={"eu-west-1": ELSEWHERE, "us-east-1": RegionalTarget()}))

    found = records(made, "models.example.com", "CNAME")
    assert {one["Region"]: (one["ResourceRecords"], one["TTL"]) for one in found} == {
        "eu-west-1": (["target.eu-west-1.models.example.com."], "30"),
        "us-east-1": (["us-east-1.target.models.example.com."], "30"),
    }
    assert {one["HostedZoneId"] for one in found} == {ZONE.hosted_zone_id}
    assert all("HealthCheckId" in one for one in found)
    assert not records(made, "models.example.com")
    alarms = [one["AlarmIdentifier"]["Region"] for one in checks(made).values() if "AlarmIdentifier" in one]
    assert alarms == ["us-east-1"]  # Route 53 reads its own account's alone
    assert sorted(one["HealthThreshold"] for one in checks(made).values() if one["Type"] == "CALCULATED") == [1, 2]


def test_a_region_is_in_service_while_its_verdict_says_so_to_route_53_and_its_alarm_is_silent() -> None:
    made = checks(resources(PLAN))

    (together,) = [one for name, one in made.items() if one["Type"] == "CALCULATED" and "euwest1" in name]
    children = {
        made[child["Fn::GetAtt"][0]]["Type"]: made[child["Fn::GetAtt"][0]] for child in together["ChildHealthChecks"]
    }
    assert together["HealthThreshold"] == len(children) == 2
    assert children["HTTPS_STR_MATCH"] == {
        "Type": "HTTPS_STR_MATCH",
        "FullyQualifiedDomainName": "eu-west-1.models.example.com",
        "Port": 443,
        "ResourcePath": "/health",
        "SearchString": "in-service",
        "EnableSNI": True,
        "RequestInterval": 10,
        "FailureThreshold": 1,
    }
    assert children["CLOUDWATCH_METRIC"] == {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Name": "models.example.com-eu-west-1-out-of-service", "Region": "eu-west-1"},
        "InsufficientDataHealthStatus": "LastKnownStatus",
    }


def test_in_a_private_zone_the_alarm_alone_decides_since_route_53_reaches_no_private_address() -> None:
    made = checks(resources(replace(PLAN, zone=replace(ZONE, private=True))))

    assert {one["Type"] for one in made.values()} == {"CALCULATED", "CLOUDWATCH_METRIC"}


def test_weights_are_the_plans() -> None:
    regions = {"eu-west-1": RegionalTarget(weight=200), "us-east-1": RegionalTarget()}
    found = records(resources(replace(PLAN, regions=regions, routing=Routing.weighted())), "models.example.com")

    assert {one["SetIdentifier"]: one["Weight"] for one in found} == {"eu-west-1": 200, "us-east-1": 100}


def test_by_geography_each_continent_has_its_region_and_all_by_latency_behind_it() -> None:
    made = resources(GEO)

    places = {one["SetIdentifier"]: one for one in records(made, "models.example.com")}
    assert {code: one["AliasTarget"]["DNSName"] for code, one in places.items()} == {
        "EU": "eu-west-1.home.models.example.com.",
        "AF": "eu-west-1.home.models.example.com.",
        "Anywhere": "us-east-1.home.models.example.com.",
    }
    assert places["EU"]["GeoLocation"] == {"ContinentCode": "EU"}
    assert places["Anywhere"]["GeoLocation"] == {"CountryCode": "*"}
    home = {one["Failover"]: one["AliasTarget"] for one in records(made, "eu-west-1.home.models.example.com")}
    assert home["PRIMARY"]["DNSName"] == "eu-west-1.target.models.example.com."
    assert (home["SECONDARY"]["DNSName"], home["SECONDARY"]["EvaluateTargetHealth"]) == (
        "anywhere.models.example.com.",
        True,
    )
    assert len(records(made, "anywhere.models.example.com")) == 2


@pytest.mark.parametrize(
    ("plan", "routing"), [(PLAN, Routing.latency()), (PLAN, Routing.weighted()), (GEO, GEO.routing)]
)
def test_a_region_that_comes_changes_nothing_of_the_others(plan: MultiRegionEndpoint, routing: Routing) -> None:
    before = resources(replace(plan, routing=routing))
    more = {**plan.targets, "ap-southeast-2": RegionalTarget(continents=("OC",) if plan is GEO else ())}

    after = resources(replace(plan, routing=routing, regions=more))

    listed = {name for name, one in before.items() if one["Type"] == "AWS::SSM::Parameter"}
    assert len(listed) == 1  # which regions there are, for people
    assert {name: after[name] for name in {*before} - listed} == {name: before[name] for name in {*before} - listed}
    assert all("apsoutheast2" in name for name in after.keys() - before.keys())


def test_a_switch_of_application_recovery_controller_takes_part_in_the_word() -> None:
    made = resources(PLAN, switched=True)

    of = checks(made)
    assert [one["HealthThreshold"] for one in of.values() if one["Type"] == "CALCULATED"] == [3, 3]
    assert len([one for one in of.values() if one["Type"] == "RECOVERY_CONTROL"]) == 2
    (rule,) = [one["Properties"] for one in made.values() if one["Type"] == "AWS::Route53RecoveryControl::SafetyRule"]
    assert rule["RuleConfig"] == {"Type": "ATLEAST", "Threshold": 1, "Inverted": False}


def test_a_switch_of_no_region_of_the_plan_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"switches must be of the plan's regions .*, got eu-west-3"):
        resources(PLAN, switches={"eu-west-3": "arn:aws:route53-recovery-control::123456789012:controlpanel/1"})
