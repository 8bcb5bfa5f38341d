"""A resource of a template as the pricing functions see it: properties without intrinsics, its place, its use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.intrinsics import number, resolved
from mlplatform_cdk.assembly.cost.lines import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from mlplatform_cdk.assembly.cost.usage import Usage
    from mlplatform_cdk.assembly.diff.sources import Source

ROOMS = frozenset(
    {
        "foundation",
        "registry",
        "data",
        "training",
        "workspace",
        "serving",
        "release",
        "routing",
        "monitoring",
        "governance",
        "cost",
        "resilience",
    }
)
_NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource, in its stack, in a month of use.

    :param region: of its stack, or what stands in for it.
    """

    source: Source
    logical_id: str
    region: str
    usage: Usage

    @property
    def raw(self) -> dict[str, Any]:
        """Its properties as the template has them."""
        properties = self.source.resources[self.logical_id].get("Properties")
        return properties if isinstance(properties, dict) else {}

    @property
    def type(self) -> str:
        """Its CloudFormation type."""
        return str(self.source.resources[self.logical_id].get("Type"))

    def get(self, *names: str, default: Any = None) -> Any:
        """The property at the path ``names``; ``default`` where the template says nothing, None where it is open."""
        value: Any = self.raw
        for name in names:
            if not isinstance(value, dict) or name not in value or value[name] == _NO_VALUE:
                return default
            value = value[name]
        return resolved(value, self.source.template, self.region)

    def mappings(self, *names: str) -> list[dict[str, Any]]:
        """The mappings in the list at the path ``names``."""
        value = self.get(*names)
        return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def number(self, *names: str, default: Decimal | int | None = None) -> Decimal | None:
        """The number at the path ``names``."""
        return number(self.get(*names, default=None if default is None else str(default)))

    def use(self, name: str, part: str = "") -> Decimal:
        """How much of ``name`` a month uses here.

        :param part: a part of the resource, such as a state of its machine, which a usage file may single out.
        """
        ending = f":{part}" if part else ""
        here = (self.place.path, f"{self.source.key}/{self.logical_id}")
        return self.usage.of(name, *here, *(f"{place}{ending}" for place in here))

    @property
    def place(self) -> Place:
        """Where its lines belong."""
        path = self.source.path_of(self.logical_id).removesuffix("/Resource")
        return Place(
            stack=self.source.key,
            room=room_of(self.source.parent or self.source.key, path),
            logical_id=self.logical_id,
            path=path or f"{self.source.key}/{self.logical_id}",
            type=self.type,
            region=self.region,
        )

    def neighbours(self, kind: str) -> Iterator[Resource]:
        """The resources of the type ``kind`` in the same template."""
        for logical_id, resource in self.source.resources.items():
            if resource.get("Type") == kind:
                yield Resource(source=self.source, logical_id=logical_id, region=self.region, usage=self.usage)


def room_of(stack: str, path: str) -> str:
    """The room that the construct or its stack is named for; in other apps, the topmost construct."""
    inside = path.removeprefix(f"{stack}/") if path.startswith(f"{stack}/") else ""
    topmost = inside.partition("/")[0]
    own = stack.rpartition("/")[2]
    for name in (topmost, own):
        if name.lower() in ROOMS:
            return name.lower()
    return topmost or own
