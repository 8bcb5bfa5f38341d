"""A resource type that is one service's create, describe, update and delete: said in a line, not programmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Properties, Resource
from mlplatform_cdk.local.adapters.cloudformation.shapes import fitted

if TYPE_CHECKING:
    from collections.abc import Mapping

GONE = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent", "Could not find", "does not exist", "not found")
ALREADY_GONE_STATUS = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKind:
    """A resource type by its operations.

    Paths below are dotted, into the answer; one that begins with ``=`` is a property, ``#`` is the physical id, and one
    that ends in ``/`` is what follows the last slash.

    :param service: boto3's name of the service.
    :param create: the operation that makes it, such as ``create_domain``.
    :param physical_id: where the physical id is.
    :param name: the property that CloudFormation fills when the template leaves it out; default: none.
    :param name_limit: the longest such name.
    :param key: the parameters that name the resource to describe, update and delete.
    :param describe: the operation that tells its attributes; default: the answer of ``create`` does.
    :param attributes: ``Fn::GetAtt`` name to path; any other name is looked up as it is.
    :param update: the operation that changes it in place; default: none, so that every change replaces it.
    :param delete: the operation that deletes it; default: none, it goes with another resource.
    :param rename: property to parameter, where they differ.
    :param constants: parameters that the operation wants and the template does not have.
    """

    type: str
    service: str
    create_operation: str
    physical_id: str
    name: str = ""
    name_limit: int = 64
    lower_case: bool = False
    key: Mapping[str, str] = field(default_factory=dict)
    describe: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    update_operation: str = ""
    delete_operation: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    stand_in: str = ""

    def create(self, resource: Resource) -> None:
        """Call the create operation."""
        properties = self.named(resource)
        answer = self._call(
            self.create_operation, resource, self._parameters(self.create_operation, resource, properties)
        )
        resource.attributes = answer
        resource.physical_resource_id = str(look_up(self.physical_id, answer, properties, ""))
        self._learn(resource)

    def update(self, resource: Resource, before: Resource) -> None:
        """Call the update operation with what it takes; anything else that changed replaces the resource."""
        resource.physical_resource_id = before.physical_resource_id
        self.keep_name(resource, before)
        changed = changes(resource, before)
        if not self.update_operation or not changed:
            if changed:
                raise MustReplace
            resource.attributes = before.attributes
            return
        lost: list[str] = []
        parameters = self._parameters(self.update_operation, resource, resource.properties, lost)
        if changed & {path.split(".")[0] for path in lost} - {"Tags"}:
            raise MustReplace
        resource.lost.extend(changed & {"Tags"} & set(lost))
        resource.attributes = before.attributes
        self._call(self.update_operation, resource, self._key(resource) | parameters)
        self._learn(resource)

    def delete(self, resource: Resource) -> None:
        """Call the delete operation."""
        if not self.delete_operation:
            return
        try:
            self._call(self.delete_operation, resource, self._key(resource))
        except ClientError as error:
            if not is_gone(error):
                raise

    def attribute(self, resource: Resource, name: str) -> Any:
        """Look an attribute up in what the service said of the resource."""
        return look_up(
            self.attributes.get(name, name), resource.attributes, resource.properties, resource.physical_resource_id
        )

    def named(self, resource: Resource) -> Properties:
        """The properties, with a generated name where the template gives none."""
        if self.name and self.name not in resource.properties:
            name = resource.generated_name(self.name_limit)
            resource.properties[self.name] = name.lower() if self.lower_case else name
        return resource.properties

    def keep_name(self, resource: Resource, before: Resource) -> None:
        """An unnamed resource keeps the name that was generated for it."""
        if self.name and not dict.__contains__(resource.properties, self.name) and self.name in before.properties:
            resource.properties[self.name] = before.properties[self.name]

    def _key(self, resource: Resource) -> dict[str, Any]:
        return {
            parameter: look_up(path, resource.attributes, resource.properties, resource.physical_resource_id)
            for parameter, path in self.key.items()
        }

    def _parameters(
        self, operation: str, resource: Resource, properties: Properties, lost: list[str] | None = None
    ) -> dict[str, Any]:
        service = client(self.service, resource.region)
        shape = service.meta.service_model.operation_model(service.meta.method_to_api_mapping[operation]).input_shape
        renamed = {self.rename.get(key, key): value for key, value in properties.items()}
        fit: dict[str, Any] = fitted(shape, renamed, "", resource.lost if lost is None else lost)
        return dict(self.constants) | fit

    def _call(self, operation: str, resource: Resource, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(client(self.service, resource.region), operation)(**parameters)
        answer.pop("ResponseMetadata", None)
        return answer

    def _learn(self, resource: Resource) -> None:
        if self.describe:
            resource.attributes = self._call(self.describe, resource, self._key(resource))


def look_up(path: str, answer: Any, properties: Mapping[str, Any], physical_id: str) -> Any:
    """The value at ``path``; ``KeyError`` when there is none."""
    if path == "#":
        return physical_id
    if path.startswith("="):
        return properties[path[1:]]
    value = answer
    for part in path.removesuffix("/").split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return str(value).rpartition("/")[2] if path.endswith("/") else value


def changes(resource: Resource, before: Resource) -> set[str]:
    """The properties in which ``resource`` differs from ``before``."""
    old, new = dict(before.properties.items()), dict(resource.properties.items())
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def is_gone(error: ClientError) -> bool:
    """Whether the service says that there is no such thing (any more)."""
    text = f"{error.response['Error'].get('Code', '')} {error.response['Error'].get('Message', '')}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == ALREADY_GONE_STATUS or any(word in text for word in GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutKind(ApiKind):
    """A resource type whose create operation also changes it.

    :param fixed: properties whose change replaces it, beside those in ``key``.
    """

    fixed: frozenset[str] = frozenset()

    def update(self, resource: Resource, before: Resource) -> None:
        """Put it once more, under its name."""
        self.keep_name(resource, before)
        identity = {path[1:] for path in self.key.values() if path.startswith("=")} | self.fixed
        if changes(resource, before) & identity:
            raise MustReplace
        self.create(resource)
