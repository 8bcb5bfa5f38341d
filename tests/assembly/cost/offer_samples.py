"""Products and prices in the forms of AWS's price list, as the documentation of its files and of its API has them."""

from __future__ import annotations

import json
from typing import Any

from mlplatform_cdk.assembly.cost.catalogue import Item, key_of


def dimensions(*tiers: tuple[str, str]) -> dict[str, Any]:
    """The on-demand term of a product, as the list nests it."""
    rates = {
        f"rate{number}": {"unit": "Hrs", "beginRange": begins, "endRange": "Inf", "pricePerUnit": {"USD": amount}}
        for number, (begins, amount) in enumerate(tiers)
    }
    return {"term": {"offerTermCode": "JRTCKXETXF", "termAttributes": {}, "priceDimensions": rates}}


def offer(code: str, *products: tuple[dict[str, str], dict[str, Any]]) -> dict[str, Any]:
    """A bulk file, https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html."""
    return {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "offerCode": code,
        "version": "20261101000000",
        "publicationDate": "2026-11-01T00:00:00Z",
        "products": {
            f"SKU{number}": {
                "sku": f"SKU{number}",
                "productFamily": "",
                "attributes": {"locationType": "AWS Region", **attributes},
            }
            for number, (attributes, _) in enumerate(products)
        },
        "terms": {"OnDemand": {f"SKU{number}": terms for number, (_, terms) in enumerate(products)}},
    }


def attributes(usage: str, region: str = "eu-west-1", **more: str) -> dict[str, str]:
    return {"servicecode": "any", "location": "EU (Ireland)", "regionCode": region, "usagetype": usage, **more}


def entry(code: str, usage: str, amount: str) -> str:
    """One text of GetProducts' ``PriceList``."""
    terms = {"OnDemand": dimensions(("0", amount))}
    product = {"productFamily": "", "sku": "SKU", "attributes": attributes(usage, locationType="AWS Region")}
    document = {"product": product, "serviceCode": code, "terms": terms, "publicationDate": "2026-11-20T09:00:00Z"}
    return json.dumps(document)


DETAILS = {"ebs.gb-month": "gp3"}


def samples(item: Item) -> list[tuple[str, dict[str, str]]]:
    """The keys and attributes of products as the list has them, one for each usage type of the item."""
    detail = DETAILS.get(item.name, "ml.m5.large") if "{}" in item.usage else ""
    region = {} if item.everywhere else {"regionCode": "eu-west-1"}
    usages = [usage.format(detail) for usage in item.usages] or ["Anything"]
    return [(key_of(item.name, detail), {"usagetype": f"EU-{usage}", **region, **item.attributes}) for usage in usages]
