"""AWS's price list becomes a table of prices: the bulk files, which anyone may download."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.cost import read_prices
from mlplatform_cdk.assembly.cost.catalogue import ITEMS, Item
from mlplatform_cdk.assembly.cost.fetch import main
from mlplatform_cdk.assembly.cost.offers import prices_of, products_of_file
from tests.assembly.cost.offer_samples import attributes, dimensions, offer, samples


def found_in(*documents: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    products = (product for document in documents for product in products_of_file(document, "file"))
    return {(price.item, price.region): price.amount for price in prices_of(products, "list").prices}


def test_a_product_is_known_by_its_usage_type_whatever_its_region() -> None:
    document = offer(
        "AmazonVPC",
        (attributes("EU-VpcEndpoint-Hours"), dimensions(("0", "0.0110000000"))),
        (attributes("VpcEndpoint-Hours", "us-east-1"), dimensions(("0", "0.0100000000"))),
        (attributes("EU-VpcEndpoint-GWLBE-Hours"), dimensions(("0", "0.0112"))),
        (attributes("EU-VpcPeering-In-Bytes"), dimensions(("0", "0.01"))),
    )

    assert found_in(document) == {
        ("vpc.interface-endpoint-hour", "eu-west-1"): Decimal("0.011"),
        ("vpc.interface-endpoint-hour", "us-east-1"): Decimal("0.01"),
        ("vpc.gateway-load-balancer-endpoint-hour", "eu-west-1"): Decimal("0.0112"),
    }


def test_an_instance_type_becomes_part_of_the_item() -> None:
    document = offer(
        "AmazonSageMaker",
        (attributes("EU-Host:ml.c5.xlarge"), dimensions(("0", "0.2"))),
        (attributes("EU-Train:ml.g4dn.xlarge"), dimensions(("0", "0.8"))),
        (attributes("EU-Studio:JupyterLab-ml.t3.medium"), dimensions(("0", "0.05"))),
    )

    assert found_in(document) == {
        ("sagemaker.hosting-hour/ml.c5.xlarge", "eu-west-1"): Decimal("0.2"),
        ("sagemaker.training-hour/ml.g4dn.xlarge", "eu-west-1"): Decimal("0.8"),
        ("sagemaker.jupyterlab-hour/ml.t3.medium", "eu-west-1"): Decimal("0.05"),
    }


def test_the_price_is_that_of_the_first_tier_that_costs_anything() -> None:
    tiers = dimensions(("100000", "0.000004"), ("20000", "0.000003"), ("0", "0.0000000000"))

    assert found_in(offer("awskms", (attributes("eu-west-1-KMS-Requests"), tiers))) == {
        ("kms.request", "eu-west-1"): Decimal("0.000003")
    }


def test_a_product_without_a_price_stays_unknown() -> None:
    free = offer("awskms", (attributes("eu-west-1-KMS-Keys"), dimensions(("0", "0"))))
    reserved = offer("awskms", (attributes("eu-west-1-KMS-Keys"), {}))

    assert found_in(free) == found_in(reserved) == {}


def test_queues_are_told_apart_by_their_kind() -> None:
    group = {"group": "SQS-APIRequest-Tier1"}
    document = offer(
        "AWSQueueService",
        (attributes("EU-Requests-RBP", queueType="Standard", **group), dimensions(("0", "0.0000004"))),
        (
            attributes("EU-Requests-FIFO-RBP", queueType="FIFO (first-in, first-out)", **group),
            dimensions(("0", "0.0000005")),
        ),
    )

    assert found_in(document) == {
        ("sqs.request", "eu-west-1"): Decimal("0.0000004"),
        ("sqs.fifo-request", "eu-west-1"): Decimal("0.0000005"),
    }


def test_local_zones_are_no_regions() -> None:
    document = offer(
        "AmazonVPC",
        (attributes("LHR1-VpcEndpoint-Hours", locationType="AWS Local Zone"), dimensions(("0", "0.02"))),
    )

    assert found_in(document) == {}


def test_two_prices_of_one_item_are_named_and_left_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = offer(
        "awskms",
        (attributes("eu-west-1-KMS-Keys"), dimensions(("0", "1"))),
        (attributes("eu-west-1-KMS-Keys"), dimensions(("0", "2"))),
    )
    (tmp_path / "kms.json").write_text(json.dumps(document))

    assert main([str(tmp_path / "kms.json"), "--output", str(tmp_path / "prices.json")]) == 0

    assert "left out, since the list has several prices: kms.key-month in eu-west-1" in capsys.readouterr().out
    assert read_prices(tmp_path / "prices.json").prices == {}


def test_the_script_makes_a_table_that_can_be_read_again(tmp_path: Path) -> None:
    kms = offer("awskms", (attributes("eu-west-1-KMS-Keys"), dimensions(("0", "1.0000000000"))))
    vpc = offer("AmazonVPC", (attributes("EU-VpcEndpoint-Hours"), dimensions(("0", "0.0110000000"))))
    for name, document in (("kms", kms), ("vpc", vpc)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    command = [
        sys.executable,
        "-m",
        "mlplatform_cdk.assembly.cost.fetch",
        "kms.json",
        "vpc.json",
        "--output",
        "out.json",
    ]

    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout == "2 prices in out.json\n"
    book = read_prices(tmp_path / "out.json")
    price = book.find("vpc.interface-endpoint-hour", "eu-west-1")
    assert price is not None
    assert (price.amount, price.date) == (Decimal("0.011"), "2026-11-01")
    assert "kms, vpc" in book.sources[price.source]


@pytest.mark.parametrize("text", ["{", "[]", '{"offerCode": "awskms"}'])
def test_what_is_no_offer_file_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "offer.json").write_text(text)

    assert main([str(tmp_path / "offer.json"), "--output", str(tmp_path / "prices.json")]) == 1

    assert capsys.readouterr().err.startswith("failed: ")
    assert not (tmp_path / "prices.json").exists()


# Whose file and usage type in the list nobody here has seen.
UNLISTED = {"fis.action-minute"}


@pytest.mark.parametrize("item", [one for name, one in ITEMS.items() if name not in UNLISTED], ids=lambda one: one.name)
def test_every_item_is_found_in_the_files_of_the_list_and_only_once(item: Item) -> None:
    for key, told in samples(item):
        found = found_in(offer(item.offer, (told, dimensions(("0", "0.5")))))

        assert found == {(key, "*" if item.everywhere else "eu-west-1"): Decimal("0.5")}
