"""What resource types that need more than one call have in common."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from mlplatform_cdk.local.adapters.cloudformation.api import changes, is_gone
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Resource
from mlplatform_cdk.local.adapters.cloudformation.shapes import fitted

if TYPE_CHECKING:
    from collections.abc import Iterator


class CodedKind:
    """A resource type in code.

    ``name`` is the property that CloudFormation fills; ``fixed`` are the properties whose change replaces the resource;
    ``changes_tags`` says whether ``settle`` brings changed tags to what stands.
    """

    stand_in = ""
    service: ClassVar[str]
    name: ClassVar[str] = ""
    name_limit: ClassVar[int] = 64
    fixed: ClassVar[frozenset[str]] = frozenset()
    changes_tags: ClassVar[bool] = False

    def create(self, resource: Resource) -> None:
        """Make it, then bring it to what its properties say."""
        if self.name and self.name not in resource.properties:
            resource.properties[self.name] = self.made_up(resource)
        self.make(resource)
        self.settle(resource)

    def update(self, resource: Resource, before: Resource) -> None:
        """Bring what stands to what the properties say now."""
        if self.name and self.name not in resource.properties and self.name in before.properties:
            resource.properties[self.name] = before.properties[self.name]
        changed = changes(resource, before)
        if changed & (self.fixed | {self.name}):
            raise MustReplace
        if "Tags" in changed and not self.changes_tags:
            resource.lost.append("Tags")
        resource.physical_resource_id = before.physical_resource_id
        resource.attributes = before.attributes
        self.settle(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete it; one that is gone is no error."""
        with gone_is_fine():
            self.unmake(resource)

    def attribute(self, resource: Resource, name: str) -> Any:
        """What was learnt when it was made."""
        return resource.attributes[name]

    def made_up(self, resource: Resource) -> str:
        """The name of an unnamed one."""
        return resource.generated_name(self.name_limit)

    def make(self, resource: Resource) -> None:
        """Call what creates it; sets the physical id and the attributes."""
        raise NotImplementedError

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Set what the creation does not; called for new and for changed ones."""

    def unmake(self, resource: Resource) -> None:
        """Call what deletes it."""
        raise NotImplementedError

    def api(self, resource: Resource) -> Any:
        """The service's client in the resource's region."""
        return client(self.service, resource.region)


def parameters(service: Any, operation: str, values: dict[str, Any], lost: list[str]) -> dict[str, Any]:
    """``values`` as the parameters of ``operation``; what it has no place for goes to ``lost``."""
    model = service.meta.service_model.operation_model(service.meta.method_to_api_mapping[operation])
    fit: dict[str, Any] = fitted(model.input_shape, values, "", lost)
    return fit


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Let a deletion pass over what is not there."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


def pairs(tags: Any) -> dict[str, str]:
    """A template's tags as a dictionary."""
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags or []}
