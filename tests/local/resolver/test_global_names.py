"""Where do the records of ``GlobalNames`` lead callers, by Route 53's rules, when regions go out of service?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.local.resolver import checks
from mlplatform_cdk.local.resolver.deployed import check_of, record_of
from mlplatform_cdk.local.resolver.records import Caller, Zone
from mlplatform_cdk.routing import (
    GlobalNames,
    HostedZoneReference,
    MultiRegionEndpoint,
    RegionalTarget,
    Routing,
)

ZONE, DOMAIN = "Z0123456789ABC", "models.example.com"
EU, US, ASIA = "eu-west-1", "us-east-1", "ap-south-1"
BERLIN = Caller(nearest=(EU, US, ASIA), continent="EU", country="DE")
DELHI = Caller(nearest=(ASIA, EU, US), continent="AS", country="IN")
ROUTINGS: Mapping[str, tuple[Routing, dict[str, RegionalTarget]]] = {
    "latency": (Routing.latency(), {EU: RegionalTarget(), US: RegionalTarget(), ASIA: RegionalTarget()}),
    "weighted": (
        Routing.weighted(),
        {EU: RegionalTarget(weight=90), US: RegionalTarget(weight=10), ASIA: RegionalTarget(weight=0)},
    ),
    "geo": (
        Routing.geo(default_region=US),
        {EU: RegionalTarget(continents=("EU", "AF")), US: RegionalTarget(), ASIA: RegionalTarget(continents=("AS",))},
    ),
}


class Names:
    """The names of a plan, with the regions that each of its checks is about."""

    def __init__(self, kind: str) -> None:
        routing, regions = ROUTINGS[kind]
        zone = HostedZoneReference(hosted_zone_id=ZONE, zone_name="example.com")
        plan = MultiRegionEndpoint(domain_name=DOMAIN, zone=zone, regions=regions, routing=routing)
        stack = PlatformStack(App(), "Names", env=Environment(account="123456789012", region="us-west-2"))
        GlobalNames(stack, "Names", plan=plan)
        made = _without_references(Template.from_stack(stack).to_json()["Resources"])
        given = [one["Properties"] for one in made.values() if one["Type"] == "AWS::Route53::RecordSet"]
        # What the regions' own stacks write: an alias of each region's API.
        given += [
            {
                "Name": plan.target_name(region),
                "Type": "A",
                "AliasTarget": {"DNSName": f"d.{region}", "HostedZoneId": "Z2", "EvaluateTargetHealth": False},
            }
            for region in regions
        ]
        self._zone = Zone.of([record_of(one, ZONE) for one in given])
        self._checks = {
            name: check_of(name, one["Properties"]["HealthCheckConfig"])
            for name, one in made.items()
            if one["Type"] == "AWS::Route53::HealthCheck"
        }

    def region(self, caller: Caller, *out: str, chance: float = 0.0, by: str = "") -> str:
        """Where ``caller`` is led while the regions ``out`` are: for their alarms, or for ``/health``, or for both."""
        seen = {
            id_: not any(self._is_about(one, region) and by in one.kind for region in out)
            for id_, one in self._checks.items()
        }

        def is_healthy(id_: str) -> bool:
            return checks.is_healthy(id_, self._checks, seen)

        return self._zone.answer(DOMAIN, caller, is_healthy, chance).values[0].removeprefix("d.")

    @staticmethod
    def _is_about(check: checks.Check, region: str) -> bool:
        return region in (check.alarm_region, check.name.partition(".")[0])


def _without_references(value: Any) -> Any:
    """The id of a check is its logical id here."""
    if isinstance(value, dict):
        if "Fn::GetAtt" in value:
            return value["Fn::GetAtt"][0]
        return {name: _without_references(inner) for name, inner in value.items()}
    return [_without_references(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def names() -> dict[str, Names]:
    return {kind: Names(kind) for kind in ROUTINGS}


@pytest.mark.parametrize(
    ("kind", "caller", "out", "expected"),
    [
        pytest.param("latency", BERLIN, (), EU, id="the nearest"),
        pytest.param("latency", BERLIN, (EU,), US, id="the next nearest"),
        pytest.param("latency", DELHI, (ASIA, EU), US, id="the last that is left"),
        pytest.param("latency", DELHI, (ASIA, EU, US), ASIA, id="the nearest where none is left"),
        pytest.param("weighted", BERLIN, (), EU, id="by weight"),
        pytest.param("weighted", BERLIN, (EU,), US, id="by the weights that are left"),
        pytest.param("weighted", BERLIN, (EU, US), ASIA, id="a weight of 0 where no other is left"),
        pytest.param("geo", BERLIN, (), EU, id="the continent's region"),
        pytest.param("geo", DELHI, (), ASIA, id="another continent's"),
        pytest.param("geo", Caller(nearest=(EU,), continent="SA"), (), US, id="the default, though another is nearer"),
        pytest.param("geo", DELHI, (ASIA,), EU, id="the nearest of all where the continent's is out"),
        pytest.param("geo", DELHI, (ASIA, EU), US, id="and the next nearest"),
        pytest.param("geo", DELHI, (ASIA, EU, US), ASIA, id="as if nothing was where all are out"),
    ],
)
@pytest.mark.parametrize("by", ["", "CLOUDWATCH_METRIC", "HTTPS_STR_MATCH"])
def test_a_caller_is_led_to_a_region_that_is_in_service(
    names: dict[str, Names], kind: str, caller: Caller, out: tuple[str, ...], expected: str, by: str
) -> None:
    assert names[kind].region(caller, *out, by=by) == expected


def test_weights_share_callers(names: dict[str, Names]) -> None:
    drawn = [names["weighted"].region(BERLIN, chance=place / 100) for place in range(100)]

    assert (drawn.count(EU), drawn.count(US), drawn.count(ASIA)) == (90, 10, 0)
