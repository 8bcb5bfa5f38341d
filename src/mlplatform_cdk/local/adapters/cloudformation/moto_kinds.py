"""The resource types that moto brings: its own classes, with updates that keep names and failures that are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from mlplatform_cdk.local.adapters.cloudformation.api import changes
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace, Properties, Resource


@dataclass(frozen=True, slots=True)
class MotoKind:
    """A ``CloudFormationModel`` of moto's."""

    model: type[CloudFormationModel]
    stand_in: str = ""

    def create(self, resource: Resource) -> None:
        """Let moto make it."""
        resource.model = self.model.create_from_cloudformation_json(
            self._name(resource),
            _json(resource),
            resource.account,
            resource.region,
            LogicalId=resource.logical_resource_id,
            StackId=resource.stack_id,
            ResourceType=resource.cf_resource_type,
        )
        resource.physical_resource_id = str(resource.model.physical_resource_id)
        _tag(resource)

    def update(self, resource: Resource, before: Resource) -> None:
        """Let moto change it, where it can; tags of network resources it can always."""
        resource.physical_resource_id = before.physical_resource_id
        resource.model = before.model
        changed = changes(resource, before)
        if isinstance(before.model, TaggedEC2Resource) and changed <= {"Tags"}:
            _tag(resource)
            return
        if hasattr(self.model.update_from_cloudformation_json, "__isabstractmethod__"):
            raise MustReplace
        resource.model = self.model.update_from_cloudformation_json(
            original_resource=before.model,
            new_resource_name=self._name(resource, before),
            cloudformation_json=_json(resource),
            account_id=resource.account,
            region_name=resource.region,
        )
        resource.physical_resource_id = str(resource.model.physical_resource_id)

    def delete(self, resource: Resource) -> None:
        """Let moto delete it, by whichever of its two ways the model has."""
        if not hasattr(self.model.delete_from_cloudformation_json, "__isabstractmethod__"):
            self.model.delete_from_cloudformation_json(
                resource.physical_resource_id, _json(resource), resource.account, resource.region
            )
        elif hasattr(resource.model, "delete"):
            resource.model.delete(resource.account, resource.region)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Ask moto's model."""
        try:
            value = resource.model.get_cfn_attribute(name)
        except (UnformattedGetAttTemplateException, NotImplementedError, AttributeError) as error:
            raise KeyError(name) from error
        if value is None:
            raise KeyError(name)
        return value

    def _name(self, resource: Resource, before: Resource | None = None) -> str:
        name_property = self.model.cloudformation_name_type()
        if name_property and name_property in resource.properties:
            return str(resource.properties[name_property])
        if before is not None:
            return before.physical_resource_id
        return parsing.generate_resource_name(
            resource.cf_resource_type, resource.stack_name, resource.logical_resource_id
        )


def _json(resource: Resource) -> dict[str, Any]:
    return {"Type": resource.cf_resource_type, "Properties": Properties.wrapping(resource.properties)}


def _tag(resource: Resource) -> None:
    if isinstance(resource.model, TaggedEC2Resource):
        tags = {tag["Key"]: tag["Value"] for tag in resource.properties.get("Tags", [])}
        ec2_backends[resource.account][resource.region].create_tags([resource.physical_resource_id], tags)
