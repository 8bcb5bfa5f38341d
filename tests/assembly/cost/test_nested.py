"""What a nested stack costs is decided by what its parent gives to its parameters."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Amount, Usage, estimate
from tests.assembly.cost.conftest import prices, resource, write_assembly

DECLARED = {"Size": {"Type": "Number", "Default": 3}}
OPEN = Amount(unknown=frozenset({"how much: volume of open GB, gp2 (App/Middle/Inner/One)"}))


def nested(file: str, **properties: Any) -> dict[str, Any]:
    return {**resource("AWS::CloudFormation::Stack", **properties), "Metadata": {"aws:asset:path": file}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, Amount(known=Decimal(3)), id="nothing, so that the default holds"),
        pytest.param({"Size": "20"}, Amount(known=Decimal(20)), id="a value"),
        pytest.param({"Size": {"Ref": "AWS::NoValue"}}, Amount(known=Decimal(3)), id="no value"),
        pytest.param({"Size": {"Ref": "Asked"}}, Amount(known=Decimal(5)), id="a parameter of its own"),
        pytest.param({"Size": {"Fn::GetAtt": ["Other", "Size"]}}, OPEN, id="what only deployment knows"),
        pytest.param({"Fn::If": ["Large", {"Size": 20}, {"Size": 1}]}, OPEN, id="what a condition decides"),
    ],
)
def test_a_nested_stack_is_priced_by_what_its_parent_gives(
    tmp_path: Path, given: dict[str, Any], expected: Amount
) -> None:
    outer = {
        "Parameters": {"Asked": {"Type": "Number", "Default": 5}},
        "Resources": {"Middle": nested("middle.json", Parameters=given)},
    }
    middle = {
        "Parameters": DECLARED,
        "Resources": {"Inner": nested("inner.json", Parameters={"Size": {"Ref": "Size"}})},
    }
    inner = {
        "Parameters": {"Size": {"Type": "Number", "Default": 1}},
        "Resources": {"One": resource("AWS::EC2::Volume", Size={"Ref": "Size"})},
    }
    folder = write_assembly(tmp_path, {"App": outer})
    for name, template in (("middle", middle), ("inner", inner)):
        (folder / f"{name}.json").write_text(json.dumps(template))

    found = estimate(read(folder), prices({"ebs.gb-month/gp2": "1"}), Usage())

    assert found.totals().committed == expected
