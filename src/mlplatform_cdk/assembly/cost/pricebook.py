"""Dated prices, each with its source: a table in the package, a file of the user's, or what the Pricing API said."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import ITEMS, item_of
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

VERSION = 1
PACKAGED = "prices/prices.json"
EVERYWHERE = "*"  # the region of a price that AWS states without one
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?|undated")
_MEMBERS = {"item", "region", "price", "unit", "source", "date"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of an item costs in a region.

    :param item: ``name`` or ``name/instance type`` of the catalogue.
    :param amount: US dollars for one unit.
    :param source: where that was read.
    :param date: when it was true: a day, or the month or year where no more is known, or ``undated``.
    """

    item: str
    region: str
    amount: Decimal
    source: str
    date: str

    @property
    def unit(self) -> str:
        """What the amount is for one of."""
        return item_of(self.item).unit


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by item and region; what is not in it is unknown.

    :param sources: what the short names of the prices' sources stand for.
    """

    prices: Mapping[tuple[str, str], Price]
    sources: Mapping[str, str] = field(default_factory=dict)

    def find(self, item: str, region: str) -> Price | None:
        """The price, or None when it is unknown."""
        here = self.prices.get((item, region))
        # AWS's own pages do not speak for the regions in China, which have prices and a currency of their own.
        return here if here is not None or region.startswith("cn-") else self.prices.get((item, EVERYWHERE))

    def over(self, other: PriceBook) -> PriceBook:
        """These prices, and those of ``other`` for what they lack."""
        return PriceBook({**other.prices, **self.prices}, {**other.sources, **self.sources})


def book(prices: Iterable[Price], sources: Mapping[str, str] | None = None) -> PriceBook:
    """A book of ``prices``."""
    return PriceBook({(price.item, price.region): price for price in prices}, sources or {})


def packaged() -> PriceBook:
    """The table that ships with the library."""
    text = files("mlplatform_cdk.assembly.cost").joinpath(PACKAGED).read_text(encoding="utf-8")
    return _parsed(text, PACKAGED)


def read_prices(path: Path) -> PriceBook:
    """The table in ``path``, in the form of the packaged one."""
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise AssemblyError(f"{path} does not exist; name a file of prices that does") from None
    except IsADirectoryError:
        raise AssemblyError(f"{path} is a folder; name a file of prices") from None
    except UnicodeDecodeError as error:
        raise AssemblyError(f"{path} must be UTF-8 text, got: {error}") from None


def as_document(table: PriceBook) -> dict[str, Any]:
    """The table as JSON holds it."""
    return {
        "version": VERSION,
        "currency": "USD",
        "sources": dict(sorted(table.sources.items())),
        "prices": [
            {
                "item": price.item,
                "region": price.region,
                "price": f"{price.amount:f}",
                "unit": price.unit,
                "source": price.source,
                "date": price.date,
            }
            for price in sorted(table.prices.values(), key=lambda price: (price.item, price.region))
        ],
    }


def _parsed(text: str, name: str) -> PriceBook:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise AssemblyError(f"{name} must be the JSON of a table of prices, got: {error}") from None
    if not isinstance(document, dict) or document.get("version") != VERSION or document.get("currency") != "USD":
        raise AssemblyError(f"{name} must be a table of prices of version {VERSION} in USD")
    sources, entries = document.get("sources"), document.get("prices")
    if not isinstance(sources, dict) or not isinstance(entries, list):
        raise AssemblyError(f"{name} must have a mapping 'sources' and a list 'prices'")
    prices = [_price(entry, sources, f"price {number} of {name}") for number, entry in enumerate(entries, start=1)]
    return book(prices, sources)


def _price(entry: Any, sources: Mapping[str, Any], where: str) -> Price:
    if not isinstance(entry, dict) or set(entry) != _MEMBERS:
        raise AssemblyError(f"{where} must have {', '.join(sorted(_MEMBERS))}, and no more")
    if str(entry["item"]).partition("/")[0] not in ITEMS:
        raise AssemblyError(f"{where} must be of an item of the catalogue, got {entry['item']!r}")
    if entry["unit"] != item_of(entry["item"]).unit:
        raise AssemblyError(f"{where} must be for one {item_of(entry['item']).unit}, got {entry['unit']!r}")
    if entry["source"] not in sources:
        raise AssemblyError(f"{where} must name one of the table's sources, got {entry['source']!r}")
    if not _DATE.fullmatch(str(entry["date"])):
        raise AssemblyError(
            f"{where} must have a date such as 2026-08-24, 2026-08, 2026 or undated, got {entry['date']!r}"
        )
    return Price(
        item=entry["item"],
        region=entry["region"],
        amount=_amount(entry["price"], where),
        source=entry["source"],
        date=entry["date"],
    )


def _amount(text: Any, where: str) -> Decimal:
    """A price of nothing is no price: what costs nothing is known as free, by its type."""
    try:
        amount = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise AssemblyError(f"{where} must be a text with a number above zero, got {text!r}")
    return amount
