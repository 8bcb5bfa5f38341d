"""What the fleets of an endpoint must be, beside what they are. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One variant.

    :param variant: its name.
    :param instance_type: what it runs on.
    :param minimum: instances at rest.
    :param maximum: instances at most.
    :param invocations_per_minute: the load of one instance that scaling keeps.
    """

    variant: str
    instance_type: str
    minimum: int
    maximum: int
    invocations_per_minute: int

    @property
    def scales(self) -> bool:
        """True when the number of instances follows the load."""
        return self.minimum < self.maximum

    def within(self, count: int) -> int:
        """The number of instances within the bounds that is nearest to ``count``."""
        return min(max(count, self.minimum), self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the template asks for.

    :param endpoint_name: the endpoint.
    :param configuration: what it must run; empty before its update.
    :param fleets: its variants.
    """

    endpoint_name: str
    configuration: str
    fleets: Sequence[Fleet]

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> "Wanted":
        """What the custom resource says."""
        return cls(
            endpoint_name=properties["EndpointName"],
            configuration=properties.get("EndpointConfigName", ""),
            fleets=tuple(Fleet(**one) for one in json.loads(properties["Fleet"])),
        )

    def leaving(self, instance_types: Mapping[str, str]) -> list[str]:
        """The live variants that must not scale while the endpoint changes: they go, or get other instances.

        :param instance_types: live variant to its instance type.
        """
        kept = {one.variant: one.instance_type for one in self.fleets}
        return [name for name, instance_type in instance_types.items() if kept.get(name) != instance_type]

    def staying(self, instance_types: Mapping[str, str]) -> list[Fleet]:
        """The fleets that are live as they must be."""
        return [one for one in self.fleets if instance_types.get(one.variant) == one.instance_type]

    def resized(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Variant to the instances that it must have, where it has too many or too few.

        :param counts: live variant to its desired instances.
        """
        within = {one.variant: one.within(counts[one.variant]) for one in self.fleets if one.variant in counts}
        return {name: count for name, count in within.items() if count != counts[name]}
