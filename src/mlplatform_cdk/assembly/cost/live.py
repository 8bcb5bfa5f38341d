"""Today's prices from AWS's Pricing API; it needs credentials that may call ``pricing:GetProducts``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import detail_in, item_of
from mlplatform_cdk.assembly.cost.offers import prices_of, product_of_call
from mlplatform_cdk.assembly.cost.pricebook import PriceBook, book

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE = "pricing-api"
_SOURCES = {SOURCE: "AWS's Pricing API (GetProducts), asked by this run"}
API_REGION = "us-east-1"  # one of the few that have the API; it knows all regions' prices


def live_prices(client: Any, needed: Iterable[tuple[str, str]]) -> PriceBook:
    """The prices of the items and regions that are ``needed``; what the API does not know is not in it.

    :param client: boto3's client of ``pricing``.
    """
    found = PriceBook({})
    for key, region in sorted(needed):
        item = item_of(key)
        if not item.offer:
            continue
        filters = {"regionCode": region, **item.attributes}
        pages = client.get_paginator("get_products").paginate(
            ServiceCode=item.offer,
            FormatVersion="aws_v1",
            Filters=[
                *({"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()),
                *_usage(item.usage.format(detail_in(key)) if item.usage else ""),
            ],
        )
        products = (product_of_call(_document(entry)) for page in pages for entry in page["PriceList"])
        prices = [price for price in prices_of(products, SOURCE).prices if (price.item, price.region) == (key, region)]
        found = book(prices, _SOURCES).over(found)
    return found


def _usage(text: str) -> list[dict[str, str]]:
    return [{"Type": "CONTAINS", "Field": "usagetype", "Value": text}] if text else []


def _document(entry: Any) -> dict[str, Any]:
    """The API gives JSON in a text."""
    document: dict[str, Any] = json.loads(entry) if isinstance(entry, str) else entry
    return document
