"""What do the stacks of many regions compute from one plan, and which plans are refused?"""

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.routing import (
    HealthCheckSettings,
    HostedZoneReference,
    MultiRegionEndpoint,
    ProbeSettings,
    RegionalTarget,
    Routing,
)

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=["eu-west-1", "us-east-1"])

ONE, TWO = "1" * 12, "2" * 12


def owning(zone_name: str, *, private: bool = False) -> RegionalTarget:
    """A region in another account, with a zone of its own."""
    zone = HostedZoneReference(hosted_zone_id="Z9", zone_name=zone_name, private=private)
    return RegionalTarget(account=TWO, zone=zone)


def test_a_region_in_another_account_has_all_its_names_in_its_own_zone() -> None:
    other = owning("us-east-1.models.example.com")
    plan = replace(PLAN, regions={"eu-west-1": RegionalTarget(account=ONE), "us-east-1": other})

    assert (plan.spans_zones, PLAN.spans_zones) == (True, False)
    assert (plan.zone_of("us-east-1"), plan.zone_of("eu-west-1")) == (other.zone, ZONE)
    for name in (plan.regional_name("us-east-1"), plan.target_name("us-east-1")):
        assert name.endswith("us-east-1.models.example.com")
    assert plan.target_name("eu-west-1") == PLAN.target_name("eu-west-1")


def test_a_plan_says_every_name_that_two_stacks_share() -> None:
    assert PLAN.regional_name("eu-west-1") == "eu-west-1.models.example.com"
    assert PLAN.target_name("eu-west-1") == "eu-west-1.target.models.example.com"
    assert PLAN.alarm_name("eu-west-1") == "models.example.com-eu-west-1-out-of-service"


def test_a_list_of_regions_is_a_mapping_of_targets() -> None:
    assert dict(PLAN.targets) == {"eu-west-1": RegionalTarget(), "us-east-1": RegionalTarget()}
    assert PLAN.others("eu-west-1") == ("us-east-1",)


def test_another_region_changes_no_name_of_the_first_ones() -> None:
    more = replace(PLAN, regions=[*PLAN.regions, "ap-southeast-2"])

    for region in PLAN.regions:
        assert more.regional_name(region) == PLAN.regional_name(region)
        assert more.target_name(region) == PLAN.target_name(region)
        assert more.alarm_name(region) == PLAN.alarm_name(region)


def test_a_plan_cannot_be_changed_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        PLAN.domain_name = "other.example.com"  # type: ignore[misc]
    with pytest.raises(TypeError):
        PLAN.regions["eu-west-3"] = RegionalTarget()  # type: ignore[index]


def test_the_zones_own_name_may_be_the_one_name() -> None:
    assert replace(PLAN, domain_name="example.com").regional_name("eu-west-1") == "eu-west-1.example.com"


def test_regions_without_a_weight_share_equally() -> None:
    plan = replace(
        PLAN, routing=Routing.weighted(), regions={"eu-west-1": RegionalTarget(), "us-east-1": RegionalTarget(weight=0)}
    )

    assert [plan.weight(region) for region in plan.targets] == [100, 0]


def test_continents_lead_to_regions() -> None:
    plan = replace(
        PLAN,
        routing=Routing.geo(default_region="us-east-1"),
        regions={"eu-west-1": RegionalTarget(continents=["EU", "AF"]), "us-east-1": RegionalTarget()},
    )

    assert plan.targets["eu-west-1"].continents == ("EU", "AF")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"domain_name": "models.example.org"}, "domain_name must lie in the zone 'example.com'"),
        ({"domain_name": "badexample.com"}, "domain_name must lie in the zone 'example.com'"),
        ({"domain_name": "Models.example.com"}, "domain_name must be labels of small letters"),
        ({"domain_name": "models.example.com."}, "domain_name must be labels of small letters"),
        ({"domain_name": f"{'a' * 60}.example.com"}, "domain_name must have at most 64 characters for a certificate"),
        ({"ttl": timedelta(0)}, "ttl must lie in a second to an hour, got 0 s"),
        ({"ttl": timedelta(days=1)}, "ttl must lie in a second to an hour"),
        ({"regions": []}, "regions must name at least one region"),
        ({"regions": "eu-west-1"}, r"regions must be a list or a mapping, got 'eu-west-1'; try \['eu-west-1'\]"),
        ({"regions": ["eu-west-1", "eu-west-1"]}, "regions must be named once each"),
        ({"regions": ["eu-wset-1"]}, "regions must be names such as 'eu-west-1', got 'eu-wset-1'"),
        ({"regions": ["Ireland"]}, "regions must be names such as 'eu-west-1', got 'Ireland'"),
        ({"regions": ["eu-west-1", "cn-north-1"]}, "regions must lie in one partition, got aws, aws-cn"),
        ({"regions": ["us-gov-west-1"]}, "regions must lie where Route 53 routes between regions, got 'us-gov-west-1'"),
        ({"regions": ["us-iso-east-1"]}, "got 'us-iso-east-1' of aws-iso"),
        ({"routing": Routing.geo(default_region="eu-west-3")}, "default_region must be one of the plan's regions"),
        (
            {"regions": {"eu-west-1": RegionalTarget(weight=1)}},
            r"weight must be given with Routing.weighted\(\) only",
        ),
        (
            {"regions": {"eu-west-1": RegionalTarget(continents=["EU"])}},
            r"continents must be given with Routing.geo\(\) only",
        ),
        (
            {"routing": Routing.weighted(), "regions": {"eu-west-1": RegionalTarget(weight=0)}},
            "at least one region must have a weight above 0",
        ),
        (
            {
                "routing": Routing.geo(default_region="eu-west-1"),
                "regions": {
                    "eu-west-1": RegionalTarget(continents=["EU"]),
                    "eu-west-3": RegionalTarget(continents=["EU"]),
                },
            },
            "a continent must lead to one region, got EU for eu-west-1 and eu-west-3",
        ),
        (
            {"regions": {"eu-west-1": RegionalTarget(account=ONE), "us-east-1": RegionalTarget(account=TWO)}},
            r"regions of other accounts must have zones of their own \(zone=\), got 1{12} and 2{12} in one",
        ),
        (
            {"regions": {"eu-west-1": owning("eu-west-1.example.com")}},
            "zone of eu-west-1 must be named 'eu-west-1.models.example.com', got 'eu-west-1.example.com'",
        ),
        (
            {"regions": {"eu-west-1": owning("eu-west-1.models.example.com", private=True)}},
            "regions with zones of their own must have public ones",
        ),
        (
            {"domain_name": "example.com", "regions": {"eu-west-1": owning("eu-west-1.example.com")}},
            "domain_name must lie below 'example.com' where regions have own zones",
        ),
    ],
)
def test_a_plan_that_could_never_deploy_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(PLAN, **changes)


def test_regions_of_china_are_a_plan_of_their_own() -> None:
    plan = replace(PLAN, regions=["cn-north-1", "cn-northwest-1"])

    assert plan.others("cn-north-1") == ("cn-northwest-1",)


@pytest.mark.parametrize("question", ["regional_name", "target_name", "alarm_name", "others", "weight"])
def test_a_region_outside_the_plan_has_no_name(question: str) -> None:
    with pytest.raises(ValueError, match=r"region must be one of the plan's \(eu-west-1, us-east-1\), got 'eu-west-2'"):
        getattr(PLAN, question)("eu-west-2")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: HostedZoneReference(hosted_zone_id="${Token[x.1]}", zone_name="example.com"), "must be literal"),
        (lambda: HostedZoneReference(hosted_zone_id="Z1", zone_name="example.com."), "zone_name must be labels"),
        (lambda: RegionalTarget(account="123"), "account must have 12 digits, got '123'"),
        (lambda: RegionalTarget(weight=256), "weight must lie in 0 to 255, got 256"),
        (lambda: RegionalTarget(continents=["XX"]), "continents must be among AF, AN, AS, EU, NA, OC, SA, got XX"),
        (lambda: ProbeSettings(interval_s=1), "interval_s must lie in 5 to 30, got 1"),
        (lambda: ProbeSettings(unhealthy_after=0), "unhealthy_after and healthy_after must be at least 1, got 0 and 5"),
        (lambda: HealthCheckSettings(interval_s=20), "interval_s must be 10 or 30, got 20"),
        (lambda: HealthCheckSettings(failures=11), "failures must lie in 1 to 10, got 11"),
    ],
)
def test_parts_of_a_plan_that_aws_refuses_are_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()
