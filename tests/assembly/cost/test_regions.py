"""What does one more region cost?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Amount, Kind, Usage, delta, estimate, packaged
from tests.assembly.cost.conftest import Priced, resource, write_assembly

CHECKS = {
    "route53.check-month": "0.5",
    "route53.check-feature-month": "1",
    "route53.outside-check-month": "0.75",
    "route53.outside-check-feature-month": "2",
}
ENDPOINT = "an endpoint in the account"


def check(kind: str, **more: Any) -> dict[str, Any]:
    return resource("AWS::Route53::HealthCheck", HealthCheckConfig={"Type": kind, **more})


@pytest.mark.parametrize(
    ("one", "outside", "committed"),
    [
        (check("TCP"), "0", "0.5"),
        (check("HTTP", RequestInterval=30), "0", "0.5"),
        (check("HTTPS"), "0", "1.5"),
        (check("HTTPS_STR_MATCH", RequestInterval=10), "0", "3.5"),
        (check("HTTP_STR_MATCH", RequestInterval=10, MeasureLatency=True), "0", "3.5"),
        (check("HTTPS_STR_MATCH", RequestInterval=10), "1", "6.75"),
        (check("HTTPS"), "0.5", "2.125"),
        (check("CALCULATED", ChildHealthChecks=["a", "b"]), "1", "0.5"),
        (check("CLOUDWATCH_METRIC"), "1", "0.5"),
    ],
)
def test_a_health_check_costs_by_where_its_endpoint_is_and_by_its_features(
    priced: Priced, one: dict[str, Any], outside: str, committed: str
) -> None:
    found = priced({"Check": one}, CHECKS, usage=Usage(amounts={"outside_share": Decimal(outside)}))

    assert found.totals().committed == Amount(known=Decimal(committed))


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (check("RECOVERY_CONTROL"), "the price of a health check of the type RECOVERY_CONTROL (App/Foundation/Check)"),
        (
            check("HTTPS", RequestInterval={"Ref": "DecidedLater"}),
            f"how much: features of the health check of {ENDPOINT}: HTTPS, an open interval (App/Foundation/Check)",
        ),
    ],
)
def test_what_is_open_of_a_health_check_is_named(priced: Priced, one: dict[str, Any], name: str) -> None:
    assert priced({"Check": one}, CHECKS).unknown == (name,)


def table(*regions: str, **more: Any) -> dict[str, Any]:
    recovery = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    replicas = [{"Region": region, **recovery} for region in regions]
    return resource("AWS::DynamoDB::GlobalTable", BillingMode="PAY_PER_REQUEST", Replicas=replicas, **more)


def test_a_copy_of_a_table_costs_its_items_backups_and_writes_in_its_own_region(priced: Priced) -> None:
    amounts = {"dynamodb.gb-month": "1", "dynamodb.read": "1", "dynamodb.write": "1", "dynamodb.backup-gb-month": "1"}

    found = priced({"Table": table("us-east-1", "eu-west-1")}, amounts)

    items = ("dynamodb.backup-gb-month", "dynamodb.gb-month", "dynamodb.replicated-write")
    assert found.unknown == tuple(f"price: {item} in us-east-1" for item in items)
    assert {line.charge.item for line in found.lines if line.region == "eu-west-1"} == set(amounts)


def test_the_witness_of_a_table_is_named(priced: Priced) -> None:
    found = priced({"Table": table("eu-west-1", GlobalTableWitnesses=[{"Region": "eu-north-1"}])}, {})

    assert "the witness of a global table (App/Foundation/Table)" in found.unknown


def test_the_cost_of_one_more_region_is_the_difference_of_two_assemblies(tmp_path: Path) -> None:
    front = {"Check": check("HTTPS_STR_MATCH", RequestInterval=10), "Key": resource("AWS::KMS::Key")}
    sides = [
        estimate(
            read(write_assembly(tmp_path / name, {f"Front-{place}": {"Resources": front} for place in places})),
            packaged(),
            Usage(),
        )
        for name, places in (("base", ["a"]), ("head", ["a", "b"]))
    ]

    found = delta(*sides)

    assert found.difference(Kind.COMMITTED) == Decimal("4.5")
    assert {change.line.place.stack for change in found.changes} == {"Front-b"}
    assert not found.open(Kind.COMMITTED)


def test_a_region_has_its_stacks_its_checks_in_another_regions_stack_and_its_copies_of_tables(tmp_path: Path) -> None:
    home, there, names = "us-east-1", "eu-west-1", "us-west-2"
    stacks = {
        home: {"Home": {"Resources": {"Key": resource("AWS::KMS::Key"), "Table": table(home, there)}}},
        names: {
            f"Names/{there}": {"Resources": {"Check": check("TCP")}},
            "Names/all": {"Resources": {"Check": check("TCP"), "Other": resource("AWS::Nobody::Knows")}},
        },
    }
    written = [estimate(read(write_assembly(tmp_path / at, of, at)), packaged(), Usage()) for at, of in stacks.items()]
    every = replace(
        written[0],
        lines=tuple(line for one in written for line in one.lines),
        gaps=tuple(gap for one in written for gap in one.gaps),
    )

    found = every.by_region()

    assert {region: totals.committed.known for region, totals in found.items()} == {
        home: Decimal(1),
        there: Decimal("0.5"),
        names: Decimal("0.5"),
    }
    assert found[there].used.known > 0
    assert found[names].committed.unknown
    whole = every.totals()
    assert sum(totals.committed.known + totals.used.known for totals in found.values()) == (
        whole.committed.known + whole.used.known
    )


def test_a_copy_of_a_table_in_one_more_region_is_a_difference_of_its_own(tmp_path: Path) -> None:
    sides = [
        estimate(
            read(write_assembly(tmp_path / name, {"Home": {"Resources": {"Table": table(*regions)}}})),
            packaged(),
            Usage(),
        )
        for name, regions in (
            ("base", ["eu-west-1", "us-east-1"]),
            ("head", ["eu-central-1", "eu-west-1", "us-east-1"]),
        )
    ]

    found = delta(*sides)

    assert {change.line.region for change in found.changes} == {"eu-central-1"}
    assert found.difference(Kind.USAGE) == sum(
        line.on_demand.known for line in sides[1].lines if line.region == "eu-central-1"
    )


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
@pytest.mark.parametrize(
    "item", ["apigateway.rest-request", "waf.acl-month", "waf.rule-month", "waf.request", "route53.check-month"]
)
def test_what_stands_in_front_of_a_region_has_a_price_there(item: str, region: str) -> None:
    assert packaged().find(item, region) is not None
