"""A part of a fleet, in the two ways that SageMaker takes it."""

from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.runtimekit.release_rules import must

_ALL = 100


@dataclass(frozen=True, slots=True)
class Size:
    """A part of a fleet: a share of its instances, or a number of them.

    :param value: percent or instances.
    :param in_percent: which of the two.
    """

    value: int
    in_percent: bool

    @classmethod
    def of(cls, percent: float | None, instances: int | None, what: str) -> "Size":
        """The one of the two that is given."""
        must(
            (percent is None) != (instances is None), f"{what} must be given in percent or in instances, one of the two"
        )
        if percent is None:
            assert instances is not None
            must(instances >= 1, f"{what} must be 1 instance or more, got {instances}")
            return cls(instances, in_percent=False)
        must(percent == int(percent), f"{what} must be a whole percentage, which SageMaker asks for, got {percent}")
        return cls(int(percent), in_percent=True)

    def check_share(self, bounds: tuple[int, int], what: str) -> None:
        """Refuse a percentage out of ``bounds``; instances are checked against the fleets."""
        least, most = bounds
        good = not self.in_percent or least <= self.value <= most
        must(good, f"{what} must be from {least} to {most} percent, got {self.value}")

    def check_fleet(self, variant: str, instances: int, bounds: tuple[int, int], what: str) -> None:
        """Refuse what is no such part of a fleet of ``instances``."""
        name, whole = f"{what} of variant {variant}", f"which has {instances} at rest"
        if self.in_percent:
            must(instances > 1, f"{name} must be a part of its instances, {whole}; have two, or update all at once")
            return
        least, most = bounds
        must(
            instances * least <= self.value * _ALL <= instances * most,
            f"{name} must be from {least} to {most} percent of its instances, {whole}, got {self.value}",
        )

    def check_scaled(self, variant: str, instances: int, least: int, what: str) -> None:
        """Refuse a number that is less than ``least`` percent of ``instances``, the most that scaling may keep."""
        must(
            self.in_percent or self.value * _ALL >= instances * least,
            f"{what} of variant {variant} must be at least {least} percent of its instances, of which scaling may keep "
            f"{instances} over an update, got {self.value}; give it in percent",
        )

    def rendered(self) -> dict[str, Any]:
        """A ``CapacitySize``."""
        return {"Type": "CAPACITY_PERCENT" if self.in_percent else "INSTANCE_COUNT", "Value": self.value}
