"""Sums in which what is not known keeps its name: adding an unknown price never adds a zero in silence."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CENT = Decimal("0.01")
_DIGITS = 4  # of a price below one cent: what matters of 0.000013333


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """US dollars, and the names of what would have to be added to them.

    :param known: the sum of what has a price.
    :param unknown: the names of what has none.
    """

    known: Decimal = Decimal(0)
    unknown: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """True when nothing is missing from the sum."""
        return not self.unknown

    def __add__(self, other: Amount) -> Amount:
        """Both sums, and everything that is missing from either."""
        return Amount(known=self.known + other.known, unknown=self.unknown | other.unknown)


NOTHING = Amount()


def total(amounts: Iterable[Amount]) -> Amount:
    """All of them together."""
    return sum(amounts, start=NOTHING)


def dollars(value: Decimal) -> str:
    """As people write it: cents, and for less than a cent the digits that matter."""
    if value == 0 or abs(value) >= _CENT:
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    return f"{'-' if value < 0 else ''}${abs(value):.{_DIGITS - abs(value).adjusted() - 1}f}".rstrip("0")


def rate(value: Decimal) -> str:
    """A price of one unit: as many digits as matter, which is often more than cents."""
    places = max(2, _DIGITS - value.adjusted() - 1)
    text = f"{value:,.{places}f}"
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<2}"


def told(amount: Amount) -> str:
    """The sum, with a plus where something is missing from it."""
    if amount.complete:
        return dollars(amount.known)
    return "unknown" if amount.known == 0 else f"{dollars(amount.known)} + unknown"


def difference(value: Decimal) -> str:
    """A change of a sum, with its sign."""
    return f"+{dollars(value)}" if value > 0 else dollars(value)
