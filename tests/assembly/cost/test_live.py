"""AWS's Pricing API becomes a table of prices.

Moto 5.2.5 has no backend for the Pricing API, so botocore's Stubber stands in: it holds questions and answers against
botocore's own model of the API. The content of an answer is that of AWS's documentation:
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mlplatform_cdk.assembly.cost.catalogue import ITEMS, Item
from mlplatform_cdk.assembly.cost.live import live_prices
from mlplatform_cdk.assembly.cost.offers import prices_of, product_of_call
from tests.assembly.cost.offer_samples import dimensions, entry, samples


def asked(code: str, usage: str, **more: str) -> dict[str, Any]:
    exact = {"regionCode": "eu-west-1", **more}
    return {
        "ServiceCode": code,
        "FormatVersion": "aws_v1",
        "Filters": [
            *({"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in exact.items()),
            {"Type": "CONTAINS", "Field": "usagetype", "Value": usage},
        ],
    }


@pytest.fixture
def pricing() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def test_live_prices_are_asked_for_one_item_and_region_at_a_time(pricing: tuple[Any, Stubber]) -> None:
    client, stubber = pricing
    host = "Host:ml.c5.xlarge"
    stubber.add_response("get_products", {"PriceList": []}, asked("awskms", "KMS-Keys"))
    # The API gives whatever contains the text, in pages.
    first = {"PriceList": [entry("AmazonSageMaker", "EU-AsyncInf:ml.c5.xlarge", "9")], "NextToken": "more"}
    stubber.add_response("get_products", first, asked("AmazonSageMaker", host))
    second = {"PriceList": [entry("AmazonSageMaker", f"EU-{host}", "0.2270")]}
    stubber.add_response("get_products", second, {**asked("AmazonSageMaker", host), "NextToken": "more"})

    needed = {
        ("sagemaker.hosting-hour/ml.c5.xlarge", "eu-west-1"),
        ("kms.key-month", "eu-west-1"),
        ("sagemaker.training-hour/a type decided later", "eu-west-1"),
    }
    book = live_prices(client, sorted(needed))

    (price,) = book.prices.values()
    assert (price.item, price.amount, price.date) == (
        "sagemaker.hosting-hour/ml.c5.xlarge",
        Decimal("0.227"),
        "2026-11-20",
    )
    assert "Pricing API" in book.sources[price.source]


def test_an_item_whose_service_code_is_not_known_is_not_asked_for(pricing: tuple[Any, Stubber]) -> None:
    client, _ = pricing

    assert live_prices(client, [("fis.action-minute", "eu-west-1")]).prices == {}


@pytest.mark.parametrize("item", [one for one in ITEMS.values() if one.offer], ids=lambda one: one.name)
def test_every_item_is_found_by_the_pricing_api(pricing: tuple[Any, Stubber], item: Item) -> None:
    client, stubber = pricing
    (key, told), *_ = samples(item)
    terms = {"OnDemand": dimensions(("0", "0.5"))}
    document = {"product": {"attributes": told}, "serviceCode": item.offer, "terms": terms}
    answer = json.dumps({**document, "publicationDate": "2026-11-20T09:00:00Z"})
    stubber.add_response("get_products", {"PriceList": [answer]})

    book = live_prices(client, [(key, "eu-west-1")])

    price = book.find(key, "eu-west-1")
    assert price is not None
    assert price.amount == Decimal("0.5")


def test_usage_types_that_mean_the_same_are_asked_for_by_what_they_share(pricing: tuple[Any, Stubber]) -> None:
    client, stubber = pricing
    stubber.add_response("get_products", {"PriceList": []}, asked("AWSQueueService", "Requests-FIFO-"))

    assert live_prices(client, [("sqs.fifo-request", "eu-west-1")]).prices == {}


def test_what_all_regions_share_is_asked_for_once_and_without_a_region(pricing: tuple[Any, Stubber]) -> None:
    client, stubber = pricing
    question = {"ServiceCode": "AmazonRoute53", "FormatVersion": "aws_v1"}
    usage = {"Type": "CONTAINS", "Field": "usagetype", "Value": "HostedZone"}
    stubber.add_response("get_products", {"PriceList": []}, {**question, "Filters": [usage]})

    live_prices(client, [("route53.zone-month", "eu-west-1"), ("route53.zone-month", "us-east-1")])


def test_an_entry_of_the_api_is_read_like_one_of_the_files() -> None:
    product = product_of_call(json.loads(entry("awskms", "eu-west-1-KMS-Keys", "1")))

    (price,) = prices_of([product], "api").prices
    assert (price.item, price.region, price.amount) == ("kms.key-month", "eu-west-1", 1)
