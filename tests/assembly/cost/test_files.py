"""The files that the cost rests on: the packaged prices, a user's prices, a month's use."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlplatform_cdk.assembly.cost import Usage, packaged, read_prices, read_usage
from mlplatform_cdk.assembly.cost.catalogue import item_of
from mlplatform_cdk.assembly.cost.usage import DEFAULTS, DISCOUNTS
from mlplatform_cdk.assembly.cost.usage_schema import usage_schema
from mlplatform_cdk.assembly.errors import AssemblyError
from tests.assembly.cost.conftest import prices

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "usage.schema.json"
TABLE = json.loads(files("mlplatform_cdk.assembly.cost").joinpath("prices/prices.json").read_text())


def test_every_packaged_price_names_its_unit_its_date_and_a_source_that_can_be_looked_up() -> None:
    book = packaged()

    assert len(book.prices) == len(TABLE["prices"]) > 100
    for price in book.prices.values():
        assert price.amount > 0
        assert price.unit == item_of(price.item).unit
        assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", price.date)
        assert book.sources[price.source].startswith("https://")


def test_every_source_has_a_price() -> None:
    assert {entry["source"] for entry in TABLE["prices"]} == set(TABLE["sources"])


def test_a_price_that_aws_states_without_a_region_is_that_of_all_regions_but_those_in_china() -> None:
    book = packaged()

    assert book.find("route53.zone-month", "eu-north-1") == book.find("route53.zone-month", "us-east-1") is not None
    assert book.find("route53.zone-month", "cn-north-1") is None


def test_own_prices_come_before_the_packaged(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    entry = {"item": "kms.key-month", "region": "us-east-1", "price": "0.9", "unit": "key and month"}
    table = {"version": 1, "currency": "USD", "sources": {"us": "our contract"}}
    path.write_text(json.dumps({**table, "prices": [{**entry, "source": "us", "date": "2026-11-01"}]}))

    both = read_prices(path).over(packaged())

    found = both.find("kms.key-month", "us-east-1")
    assert found is not None
    assert found.amount == Decimal("0.9")
    assert both.find("kms.key-month", "eu-west-1") == packaged().find("kms.key-month", "eu-west-1")
    assert both.sources["us"] == "our contract"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"price": "0"}, "must be a text with a number above zero, got '0'"),
        ({"price": "-1"}, "must be a text with a number above zero"),
        ({"price": 1}, "must be a text with a number above zero, got 1"),
        ({"price": "much"}, "must be a text with a number above zero"),
        ({"price": "NaN"}, "must be a text with a number above zero"),
        ({"item": "kms.key"}, "must be of an item of the catalogue, got 'kms.key'"),
        ({"unit": "key"}, "must be for one key and month, got 'key'"),
        ({"source": "hearsay"}, "must name one of the table's sources, got 'hearsay'"),
        ({"date": "last week"}, "must have a date such as"),
        ({"note": "more"}, "and no more"),
    ],
)
def test_a_broken_price_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    entry = {"item": "kms.key-month", "region": "us-east-1", "price": "1", "unit": "key and month", "source": "us"}
    path = tmp_path / "prices.json"
    table = {"version": 1, "currency": "USD", "sources": {"us": ""}, "prices": [{**entry, "date": "2026", **change}]}
    path.write_text(json.dumps(table))

    with pytest.raises(AssemblyError, match=sentence) as refused:
        read_prices(path)

    assert f"price 1 of {path}" in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2, "currency": "USD"}', '{"version": 1, "currency": "USD"}'])
def test_what_is_no_table_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)

    with pytest.raises(AssemblyError, match=r"prices\.json must"):
        read_prices(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    for reads in (read_prices, read_usage):
        with pytest.raises(AssemblyError, match="does not exist; name a file of"):
            reads(tmp_path / "absent")


def test_a_usage_file_changes_the_month_single_resources_and_discounts(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text(
        "version: 1\nmonth: {executions: 30}\n"
        "resources: {'App/*': {bucket_gb: 2.5}, 'App/Lake': {bucket_gb: 7}}\n"
        "discounts: {managed_spot_training: 0.6}\n"
    )

    usage = read_usage(path)

    assert usage.of("executions") == 30
    assert usage.of("training_hours") == Usage().of("training_hours")
    assert (usage.of("bucket_gb", "App/Other"), usage.of("bucket_gb", "App/Lake")) == (Decimal("2.5"), 7)
    assert usage.discount("managed_spot_training") == Decimal("0.6")
    assert usage.discount("sagemaker_savings_plan") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("month: {}", "must be a mapping with version: 1$"),
        ("version: true", "must be a mapping with version: 1$"),
        ("version: 1\nmonths: {}", r"usage\.yaml has no 'months'; did you mean month\?$"),
        ("version: 1\n1: {}", "has no 1; it may have version, month, resources, discounts$"),
        ("version: 1\nmonth: {runs: 1}", r"month of .* has no 'runs'; docs/cost\.md lists what it may have$"),
        ("version: 1\nmonth: {trainig_hours: 1}", r"has no 'trainig_hours'; did you mean training_hours\?$"),
        ("version: 1\nmonth: {traced_share: 2}", "must be a share from 0 to 1, got 2$"),
        ("version: 1\nmonth: {executions: -1}", "must be a number that is not below zero, got -1"),
        ("version: 1\nmonth: {executions: many}", "must be a number that is not below zero, got 'many'"),
        ("version: 1\nmonth: {executions: .inf}", "must be a number that is not below zero"),
        ("version: 1\nmonth: {executions: true}", "must be a number that is not below zero, got True"),
        ("version: 1\nmonth: 3", "must be a mapping, got 3"),
        (
            "version: 1\nresources: {App: {hours_per_month: 1}}",
            "App in .* must not have hours_per_month: a month is as long",
        ),
        ("version: 1\nresources: {App: 3}", "App in .* must be a mapping, got 3$"),
        (
            "version: 1\ndiscounts: {luck: 0.5}",
            "has no 'luck'; it may have managed_spot_training, fargate_spot, sagema",
        ),
        ("version: 1\ndiscounts: {managed_spot_training: 1}", "must be a share from 0 to below 1, got 1"),
        ("version: [", "must be YAML"),
    ],
)
def test_a_broken_usage_file_is_refused_with_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text(text)

    with pytest.raises(AssemblyError, match=sentence):
        read_usage(path)


def test_the_schema_in_the_documents_is_the_one_that_the_code_has() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == usage_schema(), "run `make docs`"


@pytest.mark.parametrize(
    ("document", "fits"),
    [
        ({"version": 1}, True),
        (
            {"version": 1, "month": None, "resources": {"*": {"bucket_gb": 2.5}}, "discounts": {"fargate_spot": 0.7}},
            True,
        ),
        ({"month": {}}, False),
        ({"version": 1, "months": {}}, False),
        ({"version": 1, "month": {"runs": 1}}, False),
        ({"version": 1, "month": {"executions": -1}}, False),
        ({"version": 1, "month": {"executions": "many"}}, False),
        ({"version": 1, "month": {"traced_share": 2}}, False),
        ({"version": 1, "resources": {"App": {"hours_per_month": 1}}}, False),
        ({"version": 1, "discounts": {"managed_spot_training": 1}}, False),
    ],
)
def test_the_schema_takes_what_the_reader_takes(tmp_path: Path, document: dict[str, Any], *, fits: bool) -> None:
    (tmp_path / "usage.yaml").write_text(json.dumps(document))
    schema = jsonschema.Draft202012Validator(usage_schema())

    assert schema.is_valid(document) == fits
    if fits:
        read_usage(tmp_path / "usage.yaml")
    else:
        with pytest.raises(AssemblyError):
            read_usage(tmp_path / "usage.yaml")


def test_the_schema_describes_every_amount_and_discount() -> None:
    schema = usage_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    parts = schema["properties"]
    assert set(parts["month"]["properties"]) == set(DEFAULTS)
    assert set(parts["discounts"]["properties"]) == set(DISCOUNTS)
    assert all(one["description"] for name in ("month", "discounts") for one in parts[name]["properties"].values())


def test_a_book_finds_only_its_own_region() -> None:
    assert prices({"kms.key-month": "1"}).find("kms.key-month", "us-east-1") is None
