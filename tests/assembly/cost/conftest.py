"""Small assemblies, written by hand, and prices that are easy to reckon with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Estimate, Price, PriceBook, Usage, book, estimate

REGION = "eu-west-1"
Resources = Mapping[str, Mapping[str, Any]]


def prices(amounts: Mapping[str, str], region: str = REGION) -> PriceBook:
    """A book of made-up prices."""
    entries = [
        Price(item=item, region=region, amount=Decimal(amount), source="test", date="2026-11-22")
        for item, amount in amounts.items()
    ]
    return book(entries, {"test": "made up by the test"})


def write_assembly(directory: Path, stacks: Mapping[str, Mapping[str, Any]], region: str = REGION) -> Path:
    """An assembly whose stacks have these templates."""
    directory.mkdir(parents=True, exist_ok=True)
    artifacts = {
        name.replace("/", ""): {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://unknown-account/{region}",
            "properties": {"templateFile": f"{name.replace('/', '')}.template.json"},
            "displayName": name,
            "metadata": {
                f"/{name}/{logical_id}/Resource": [{"type": "aws:cdk:logicalId", "data": logical_id}]
                for logical_id in template.get("Resources", {})
            },
        }
        for name, template in stacks.items()
    }
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    for name, template in stacks.items():
        (directory / f"{name.replace('/', '')}.template.json").write_text(json.dumps(template))
    return directory


Priced = Callable[..., Estimate]


@pytest.fixture
def priced(tmp_path: Path) -> Priced:
    """Estimates one stack with these resources."""

    def run(
        resources: Resources, amounts: Mapping[str, str], *, usage: Usage | None = None, **template: Any
    ) -> Estimate:
        directory = write_assembly(tmp_path / "cdk.out", {"App/Foundation": {"Resources": resources, **template}})
        return estimate(read(directory), prices(amounts), usage or Usage())

    return run


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}
