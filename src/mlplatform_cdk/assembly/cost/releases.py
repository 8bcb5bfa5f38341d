"""What one release costs: a second fleet for its time, and one instance of the old one for its retention."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.money import Amount
from mlplatform_cdk.assembly.cost.pricing.instances import instance_item
from mlplatform_cdk.runtimekit.release_hours import FleetHours, fleet_hours

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.cost.pricebook import Price, PriceBook
    from mlplatform_cdk.runtimekit.release_strategy import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCost:
    """A release beside what the endpoint costs anyway.

    :param hours: of the second fleet.
    :param instance_type: what it runs on.
    :param region: where.
    :param price: of an instance and hour; None: unknown.
    """

    hours: FleetHours
    instance_type: str
    region: str
    price: Price | None

    @property
    def expected(self) -> Amount:
        """If nothing has to be waited for."""
        return self._amount(self.hours.expected)

    @property
    def most(self) -> Amount:
        """With every gate and every window at its longest."""
        return self._amount(self.hours.most)

    def _amount(self, hours: float) -> Amount:
        if self.price is None:
            return Amount(unknown=frozenset({instance_item("sagemaker.hosting-hour", self.instance_type)}))
        return Amount(known=self.price.amount * Decimal(str(round(hours, 6))))


def release_cost(
    strategy: Strategy, *, instance_type: str, instances: int, region: str, prices: PriceBook
) -> ReleaseCost:
    """The cost of one release by ``strategy``.

    :param strategy: how it shifts.
    :param instance_type: of the endpoint.
    :param instances: that serve now, which the second fleet is made as large as.
    :param region: where.
    :param prices: of instances.
    """
    return ReleaseCost(
        hours=fleet_hours(strategy, instances),
        instance_type=instance_type,
        region=region,
        price=prices.find(instance_item("sagemaker.hosting-hour", instance_type), region),
    )
