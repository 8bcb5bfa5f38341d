"""A line of the estimate: one resource, one thing that AWS charges for, how much of it, at which price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.money import Amount

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.cost.pricebook import Price

_ONE = Decimal(1)


class Kind(StrEnum):
    """Whether a template commits to a cost by standing, or use makes it."""

    COMMITTED = "committed"
    USAGE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a resource is charged for, before anybody looked up a price.

    :param what: in words, such as ``interface endpoint of kms in 2 zones``.
    :param item: the catalogue's key.
    :param quantity: units of the item in a month; None when the template leaves it open.
    :param per: what people count, such as ``training hour``; default: nothing, the template commits to it.
    :param units_per: units of the item in one of those.
    :param discount: the discount that the template or the account has; default: none.
    :param region: where it is charged; default: in the region of the resource's stack.
    """

    what: str
    item: str
    quantity: Decimal | None
    per: str = ""
    units_per: Decimal = _ONE
    discount: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Free:
    """A resource without a charge, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something about a resource that costs money and that the tool cannot see, named."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a line belongs.

    :param stack: the stack's display name.
    :param room: the part of the platform, or of the app.
    :param path: the construct's path, or the stack and the logical id.
    :param region: the stack's region, or the one that stands in.
    """

    stack: str
    room: str
    logical_id: str
    path: str
    type: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A charge with its price.

    :param region: where it is charged.
    :param price: None when it is unknown.
    :param share_paid: what the discount leaves; None when the discount is not known.
    """

    place: Place
    charge: Charge
    region: str
    price: Price | None
    share_paid: Decimal | None = _ONE

    @property
    def kind(self) -> Kind:
        """Committed, or made by use."""
        return Kind.USAGE if self.charge.per else Kind.COMMITTED

    @property
    def missing(self) -> frozenset[str]:
        """The names of what is not known of it."""
        quantity = f"how much: {self.charge.what} ({self.place.path})"
        price = f"price: {self.charge.item} in {self.region}"
        names = ((self.charge.quantity is None, quantity), (self.price is None, price))
        return frozenset(name for is_missing, name in names if is_missing)

    @property
    def on_demand(self) -> Amount:
        """A month at the list price."""
        if self.charge.quantity == 0:
            return Amount()
        if self.price is None or self.charge.quantity is None:
            return Amount(unknown=self.missing)
        return Amount(known=self.charge.quantity * self.price.amount)

    @property
    def discounted(self) -> Amount:
        """A month with the options that the template sets and the discounts of the usage file."""
        if self.share_paid is None and self.on_demand.known:
            return Amount(unknown=frozenset({f"discount: {self.charge.discount}"}))
        paid = _ONE if self.share_paid is None else self.share_paid
        return Amount(known=self.on_demand.known * paid, unknown=self.on_demand.unknown)

    @property
    def rate(self) -> Decimal | None:
        """What one more of ``per`` costs; None when it is unknown."""
        return None if self.price is None else self.price.amount * self.charge.units_per
