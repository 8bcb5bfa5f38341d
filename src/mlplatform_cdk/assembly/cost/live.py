"""Today's prices from AWS's Pricing API; it needs credentials that may call ``pricing:GetProducts``."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import OPEN, detail_in, item_of
from mlplatform_cdk.assembly.cost.offers import prices_of, product_of_call
from mlplatform_cdk.assembly.cost.pricebook import EVERYWHERE, Price, PriceBook, book

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCE = "pricing-api"
_SOURCES = {SOURCE: "AWS's Pricing API (GetProducts), asked by this run"}
API_REGION = "us-east-1"  # one of the few that have the API; it knows all regions' prices


def live_prices(client: Any, needed: Iterable[tuple[str, str]]) -> PriceBook:
    """The prices of the items and regions that are ``needed``; what the API does not know is not in it.

    :param client: boto3's client of ``pricing``.
    """
    found = PriceBook({})
    for key, region in sorted({(key, EVERYWHERE if item_of(key).everywhere else region) for key, region in needed}):
        if OPEN not in key and item_of(key).offer:
            found = book(_asked(client, key, region), _SOURCES).over(found)
    return found


def _asked(client: Any, key: str, region: str) -> list[Price]:
    """The price of ``key`` in ``region``, if the API has just one."""
    item = item_of(key)
    where = {} if region == EVERYWHERE else {"regionCode": region}
    exact = {**where, **item.attributes}
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=item.offer,
        FormatVersion="aws_v1",
        Filters=[
            *({"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in exact.items()),
            *_usage([usage.format(detail_in(key)) for usage in item.usages]),
        ],
    )
    products = (product_of_call(_document(entry)) for page in pages for entry in page["PriceList"])
    return [price for price in prices_of(products, SOURCE).prices if (price.item, price.region) == (key, region)]


def _usage(types: Sequence[str]) -> list[dict[str, str]]:
    """What the usage types begin with, all of them."""
    if not types:
        return []
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*types, strict=False))
    return [{"Type": "CONTAINS", "Field": "usagetype", "Value": "".join(letters[0] for letters in shared)}]


def _document(entry: Any) -> dict[str, Any]:
    """The API gives JSON in a text."""
    document: dict[str, Any] = json.loads(entry) if isinstance(entry, str) else entry
    return document
