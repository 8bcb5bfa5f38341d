"""The estimate in its three forms, and the command that writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Estimate, Usage, delta, estimate, packaged, renderings
from mlplatform_cdk.assembly.cost.renderings.jsonform import SCHEMA
from tests.assembly.cost.conftest import prices, resource, write_assembly

RESOURCES = {
    "Key": resource("AWS::KMS::Key"),
    "Nat": resource("AWS::EC2::NatGateway"),
    "Database": resource("AWS::RDS::DBInstance"),
    "Role": resource("AWS::IAM::Role"),
}


@pytest.fixture
def small(tmp_path: Path) -> Estimate:
    return of(tmp_path / "head", RESOURCES)


def of(directory: Path, resources: Mapping[str, Any]) -> Estimate:
    assembly = write_assembly(directory, {"App|<1>": {"Resources": resources}})
    return estimate(read(assembly), prices({"kms.key-month": "1", "kms.request": "0.000003"}), Usage())


def on_a_terminal(shown: Any, **options: bool) -> str:
    console = Console(file=StringIO(), width=200)
    (renderings.print_estimate if isinstance(shown, Estimate) else renderings.print_delta)(shown, console, **options)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_the_first_line_says_what_it_commits_to_and_that_it_is_not_all(small: Estimate) -> None:
    sentence = "commits to at least $1.00 a month, incomplete: 2 unknown"

    assert sentence in on_a_terminal(small)
    assert sentence in renderings.estimate_as_markdown(small).splitlines()[0]


def test_every_unknown_is_named_in_every_form(small: Estimate) -> None:
    forms = (on_a_terminal(small), renderings.estimate_as_markdown(small), renderings.estimate_as_json(small))

    assert len(small.unknown) == 3
    for name in small.unknown:
        escaped = name.replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
        assert name in forms[0]
        assert escaped in forms[1]
        assert name in json.loads(forms[2])["estimate"]["unknown"]


def test_details_show_assumptions_sources_and_what_is_free(small: Estimate) -> None:
    short, long = on_a_terminal(small), on_a_terminal(small, details=True)

    for text in ("made up by the test", "IAM costs nothing", "no free tiers", "hours_per_month"):
        assert text in long
        assert text not in short


def test_the_json_is_what_its_schema_says(small: Estimate, dev_assembly: Path, tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    dev = estimate(read(dev_assembly), packaged(), Usage())
    documents = [
        renderings.estimate_as_json(small),
        renderings.estimate_as_json(dev),
        renderings.delta_as_json(delta(of(tmp_path / "base", {"Key": RESOURCES["Key"]}), small)),
    ]

    for document in documents:
        jsonschema.validate(json.loads(document), schema)


def test_money_is_text_so_that_no_digit_is_lost(small: Estimate) -> None:
    found = json.loads(renderings.estimate_as_json(small))["estimate"]

    (key,) = [line for line in found["lines"] if line["item"] == "kms.request"]
    assert (key["price"]["amount"], key["rate"], key["quantity"]) == ("0.000003", "0.03", "100000")


def test_a_comment_fits_its_host_and_breaks_no_table(small: Estimate, dev_assembly: Path) -> None:
    dev = renderings.estimate_as_markdown(estimate(read(dev_assembly), packaged(), Usage()))

    assert len(dev) < 65_536
    for text in (dev, renderings.estimate_as_markdown(small)):
        for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
            widths = {len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(widths) == 1


def test_a_difference_says_from_what_to_what_and_what_became_unknown(small: Estimate, tmp_path: Path) -> None:
    change = delta(of(tmp_path / "base", {}), small)

    for text in (on_a_terminal(change), renderings.delta_as_markdown(change)):
        assert "commits to +$1.00 a month, and changes whose price is unknown" in text
        assert "newly unknown" in text
    assert "no change" in on_a_terminal(delta(small, small))
