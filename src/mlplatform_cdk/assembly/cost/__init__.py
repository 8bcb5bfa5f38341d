"""What a cloud assembly costs: each month by standing, and per unit of use; what has no price is named, never zero."""

from mlplatform_cdk.assembly.cost.delta import Change, Delta, delta
from mlplatform_cdk.assembly.cost.estimate import Estimate, Gap, Totals, estimate, repriced
from mlplatform_cdk.assembly.cost.lines import Charge, Kind, Line, Place
from mlplatform_cdk.assembly.cost.money import Amount
from mlplatform_cdk.assembly.cost.pricebook import Price, PriceBook, book, packaged, read_prices
from mlplatform_cdk.assembly.cost.usage import Usage, read_usage

__all__ = [
    "Amount",
    "Change",
    "Charge",
    "Delta",
    "Estimate",
    "Gap",
    "Kind",
    "Line",
    "Place",
    "Price",
    "PriceBook",
    "Totals",
    "Usage",
    "book",
    "delta",
    "estimate",
    "packaged",
    "read_prices",
    "read_usage",
    "repriced",
]
