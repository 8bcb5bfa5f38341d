"""What does a change do to the cost?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Delta, Estimate, Kind, Usage, delta, estimate
from mlplatform_cdk.assembly.errors import AssemblyError
from tests.assembly.cost.conftest import prices, resource, write_assembly

PRICES = {
    "kms.key-month": "1",
    "kms.request": "0.000003",
    "sagemaker.hosting-hour/ml.m5.large": "0.1",
    "sagemaker.hosting-hour/ml.m5.xlarge": "0.2",
    "sagemaker.inference-gb": "0.016",
}


def compared(folder: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Delta:
    sides = []
    for name, resources in (("base", before), ("head", after)):
        directory = write_assembly(folder / name, {"App": {"Resources": resources}})
        sides.append(estimate(read(directory), prices(PRICES), Usage()))
    return delta(sides[0], sides[1])


def endpoint(instance_type: str, count: int = 1) -> dict[str, Any]:
    variant = {"VariantName": "blue", "InstanceType": instance_type, "InitialInstanceCount": count}
    return {
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Endpoint": resource("AWS::SageMaker::Endpoint", EndpointConfigName={"Ref": "Config"}),
    }


def test_an_unchanged_app_has_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, endpoint("ml.m5.large"), endpoint("ml.m5.large"))

    assert found.changes == found.unknown_added == found.unknown_gone == ()


def test_another_instance_type_is_one_change_of_the_same_line(tmp_path: Path) -> None:
    found = compared(tmp_path, endpoint("ml.m5.large"), endpoint("ml.m5.xlarge", 2))

    (change,) = found.changes
    assert change.difference == 730 * Decimal("0.4") - 730 * Decimal("0.1")
    assert found.difference(Kind.COMMITTED) == change.difference
    assert not found.open(Kind.COMMITTED)


def test_the_difference_is_that_of_the_totals(tmp_path: Path) -> None:
    found = compared(tmp_path, {"Old": resource("AWS::KMS::Key")}, endpoint("ml.m5.large"))

    for kind, of in ((Kind.COMMITTED, "committed_discounted"), (Kind.USAGE, "used_discounted")):
        before, after = getattr(found.base.totals(), of), getattr(found.head.totals(), of)
        assert found.difference(kind) == after.known - before.known


@pytest.mark.parametrize("forth", [True, False])
def test_a_change_to_or_from_an_unknown_price_is_no_difference_but_open(tmp_path: Path, *, forth: bool) -> None:
    sides = [endpoint("ml.m5.large"), endpoint("ml.p5.48xlarge")]

    found = compared(tmp_path, *(sides if forth else reversed(sides)))

    assert found.open(Kind.COMMITTED)
    assert [change.difference for change in found.changes] == [None]
    name = "price: sagemaker.hosting-hour/ml.p5.48xlarge in eu-west-1"
    assert (found.unknown_added, found.unknown_gone) == (((name,), ()) if forth else ((), (name,)))


def staged(folder: Path, stages: Mapping[str, Mapping[str, Any]]) -> Estimate:
    directory = write_assembly(folder, {name: {"Resources": resources} for name, resources in stages.items()})
    return estimate(read(directory), prices(PRICES), Usage())


def test_stages_of_two_names_are_paired_by_what_they_are_called_on_either_side(tmp_path: Path) -> None:
    dev = staged(tmp_path / "dev", {"Dev/Serving": endpoint("ml.m5.large"), "Dev/Data": {"X": resource("AWS::X::Y")}})
    prod = staged(
        tmp_path / "prod", {"Prod/Serving": endpoint("ml.m5.xlarge"), "Prod/Data": {"X": resource("AWS::X::Y")}}
    )

    apart, together = delta(dev, prod), delta(dev, prod, {"Dev": "Prod"})

    assert apart.strangers
    assert not together.strangers
    (change,) = together.changes
    assert change.line.place.path == "Prod/Serving/Endpoint"
    assert change.difference == 730 * Decimal("0.1")
    assert together.unknown_added == together.unknown_gone == ()


def test_what_a_pair_takes_the_place_of_is_left_out(tmp_path: Path) -> None:
    both = staged(tmp_path, {"Dev/Serving": endpoint("ml.m5.large"), "Prod/Serving": endpoint("ml.m5.xlarge")})

    found = delta(both, both, {"Dev": "Prod"})

    assert [change.difference for change in found.changes] == [730 * Decimal("0.1")]


def named(folder: Path, names: Mapping[str, str], stages: Mapping[str, Mapping[str, Any]]) -> Estimate:
    """The same with names in CloudFormation, by the stacks' paths."""
    manifest = write_assembly(folder, {name: {"Resources": kept} for name, kept in stages.items()}) / "manifest.json"
    document = json.loads(manifest.read_text())
    for artifact in document["artifacts"].values():
        artifact["properties"]["stackName"] = names[artifact["displayName"]]
    manifest.write_text(json.dumps(document))
    return estimate(read(folder), prices(PRICES), Usage())


def test_a_stack_that_keeps_its_name_is_the_same_one_wherever_it_is_in_the_app(tmp_path: Path) -> None:
    base = named(tmp_path / "base", {"Old/Serving": "serving"}, {"Old/Serving": endpoint("ml.m5.large")})
    head = named(tmp_path / "head", {"New/Serving": "serving"}, {"New/Serving": endpoint("ml.m5.xlarge")})

    found = delta(base, head)

    (change,) = found.changes
    assert change.before is not None
    assert change.before.place.path == "New/Serving/Endpoint"
    assert change.difference == 730 * Decimal("0.1")
    assert not found.strangers


def test_a_stack_whose_place_another_takes_is_gone_under_its_own_name(tmp_path: Path) -> None:
    stages = {"A": endpoint("ml.m5.large"), "B": endpoint("ml.m5.xlarge")}
    base = named(tmp_path / "base", {"A": "one", "B": "two"}, stages)
    head = named(tmp_path / "head", {"B": "one"}, {"B": endpoint("ml.m5.large")})

    found = delta(base, head)

    assert {(change.line.place.stack, change.after) for change in found.changes} == {("B (two)", None)}
    assert found.difference(Kind.COMMITTED) == 730 * Decimal("-0.2")


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ({"De": "Prod"}, "base has no stage or stack 'De'; it has: Dev"),
        ({"Dev": "Pro"}, "head has no stage or stack 'P"),
    ],
)
def test_a_pair_of_an_unknown_name_is_one_sentence(tmp_path: Path, pairs: dict[str, str], sentence: str) -> None:
    dev = staged(tmp_path / "dev", {"Dev": endpoint("ml.m5.large")})
    prod = staged(tmp_path / "prod", {"Prod": endpoint("ml.m5.large")})

    with pytest.raises(AssemblyError, match=sentence):
        delta(dev, prod, pairs)
