"""AWS's price list, in the form of its bulk files and of GetProducts: products, and what they cost on demand.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import ITEMS, key_of
from mlplatform_cdk.assembly.cost.pricebook import EVERYWHERE, Price
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_REGION = "AWS Region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of the list.

    :param terms: its on-demand offer terms.
    :param date: the day on which the list was published.
    """

    offer: str
    attributes: Mapping[str, str]
    terms: Mapping[str, Any]
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The prices of the catalogue's items.

    :param ambiguous: items and regions for which the list has several prices; they stay unknown.
    """

    prices: tuple[Price, ...]
    ambiguous: tuple[str, ...] = ()


def products_of_file(document: Any, name: str) -> Iterator[Product]:
    """The products of a bulk file, such as ``offers/v1.0/aws/AmazonVPC/current/eu-west-1/index.json``."""
    try:
        offer, date = document["offerCode"], document["publicationDate"][:10]
        terms = document["terms"].get("OnDemand", {})
        for sku, product in document["products"].items():
            yield Product(offer=offer, attributes=product["attributes"], terms=terms.get(sku, {}), date=date)
    except (KeyError, TypeError, AttributeError) as error:
        raise AssemblyError(f"{name} is no offer file of AWS's price list: it lacks {error}") from None


def product_of_call(document: Mapping[str, Any]) -> Product:
    """One entry of GetProducts' ``PriceList``."""
    return Product(
        offer=document["serviceCode"],
        attributes=document["product"]["attributes"],
        terms=document["terms"].get("OnDemand", {}),
        date=document["publicationDate"][:10],
    )


def prices_of(products: Iterable[Product], source: str) -> Found:
    """The prices of what the catalogue knows.

    :param source: the short name that each price carries.
    """
    found: dict[tuple[str, str], dict[Decimal, str]] = defaultdict(dict)
    for product in products:
        amount = _first_paid(product.terms)
        if amount is None or product.attributes.get("locationType", _REGION) != _REGION:
            continue
        for item in _items(product):
            found[item, _region(product.attributes)][amount] = product.date
    return Found(
        prices=tuple(
            Price(item=item, region=region, amount=amount, source=source, date=date)
            for (item, region), amounts in sorted(found.items())
            if len(amounts) == 1
            for amount, date in amounts.items()
        ),
        ambiguous=tuple(f"{item} in {region}" for (item, region), amounts in sorted(found.items()) if len(amounts) > 1),
    )


def _items(product: Product) -> Iterator[str]:
    for item in ITEMS.values():
        if item.offer == product.offer:
            detail = item.detail_of(product.attributes)
            if detail is not None:
                yield key_of(item.name, detail)


def _region(attributes: Mapping[str, str]) -> str:
    return attributes.get("regionCode") or EVERYWHERE


def _first_paid(terms: Mapping[str, Any]) -> Decimal | None:
    """The price of the first tier that costs anything: free tiers are an account's, not a template's."""
    tiers = []
    for term in terms.values():
        for dimension in term.get("priceDimensions", {}).values():
            try:
                amount = Decimal(dimension["pricePerUnit"]["USD"])
                begins = Decimal(dimension.get("beginRange") or 0)
            except (KeyError, InvalidOperation):
                continue
            if amount > 0:
                tiers.append((begins, amount))
    return min(tiers)[1] if tiers else None
