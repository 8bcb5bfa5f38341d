"""Resource types without an API in moto: kept as a record, and named so at every deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import changes
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedKind:
    """A record: it has a physical id and attributes, and nothing happens because of it.

    Formats below may use ``{region}``, ``{account}``, ``{id}`` (the physical id) and any property in braces.

    :param why: what is missing, for the deployment's report.
    :param physical_id: its format; default: the name, or a generated one.
    :param name: the property with its name; default: none.
    :param attributes: ``Fn::GetAtt`` name to format.
    :param fixed: properties whose change replaces it.
    """

    why: str
    physical_id: str = ""
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    @property
    def stand_in(self) -> str:
        """Why there is only a record."""
        return self.why

    def create(self, resource: Resource) -> None:
        """Remember it."""
        name = dict.get(resource.properties, self.name) or resource.generated_name()
        if self.name:
            resource.properties[self.name] = name
        resource.physical_resource_id = self._filled(self.physical_id, resource) if self.physical_id else str(name)

    def update(self, resource: Resource, before: Resource) -> None:
        """Remember the change."""
        if self.name and self.name not in resource.properties:
            resource.properties[self.name] = before.properties[self.name]
        if changes(resource, before) & (self.fixed | {self.name}):
            raise MustReplace
        resource.physical_resource_id = before.physical_resource_id

    def delete(self, resource: Resource) -> None:
        """Nothing stands that could be deleted."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """The attribute in its format."""
        return self._filled(self.attributes[name], resource)

    def _filled(self, text: str, resource: Resource) -> str:
        scalars = {key: value for key, value in resource.properties.items() if not isinstance(value, (dict, list))}
        return text.format_map(
            scalars | {"region": resource.region, "account": resource.account, "id": resource.physical_resource_id}
        )
