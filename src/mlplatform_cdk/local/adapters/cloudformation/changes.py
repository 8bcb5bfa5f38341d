"""Change sets: what would happen, worked out before it does, and then done by the same engine as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.common_models import BaseModel
from moto.core.utils import utcnow

from mlplatform_cdk.local.adapters.cloudformation import parameters as template_parameters
from mlplatform_cdk.local.adapters.cloudformation.template import parse

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.stack import Stack

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class Change(BaseModel):
    """What would happen to one resource."""

    def __init__(self, action: str, logical_id: str, resource_type: str, physical_id: str | None) -> None:
        self.action = action
        self.logical_resource_id = logical_id
        self.physical_resource_id = physical_id
        self.resource_type = resource_type
        self.replacement = "Conditional" if action == "Modify" else None
        self.scope = ["Properties"] if action == "Modify" else []


class ChangeSet(BaseModel):
    """What would bring ``stack`` to another template."""

    def __init__(
        self,
        *,
        stack: Stack,
        change_set_id: str,
        name: str,
        kind: str,
        template: str,
        parameters: dict[str, str],
        tags: dict[str, str] | None,
        description: str | None,
    ) -> None:
        self.stack = stack
        self.stack_id = stack.stack_id
        self.stack_name = stack.name
        self.change_set_id = change_set_id
        self.change_set_name = name
        self.change_set_type = kind
        self.template = template
        self.template_dict = parse(template)
        self.parameters = template_parameters.given_or_default(self.template_dict, parameters)
        self.tags = tags or {}
        self.description = description
        self.notification_arns = stack.notification_arns
        self.capabilities: list[str] = []
        self.creation_time = utcnow()
        self.changes = self._changes()
        is_empty = kind == "UPDATE" and not self.changes and not self._changes_otherwise()
        self.status = "FAILED" if is_empty else "CREATE_COMPLETE"
        self.execution_status = "UNAVAILABLE" if is_empty else "AVAILABLE"
        self.status_reason = NO_CHANGES if is_empty else None

    def _changes_otherwise(self) -> bool:
        return bool(
            self.template_dict.get("Outputs") != self.stack.template_dict.get("Outputs")
            or self.parameters != self.stack.parameters
            or _resolved(self.template_dict, self.parameters, self.stack) != _present(self.stack)
            or self.tags != self.stack.tags
        )

    def _changes(self) -> list[Change]:
        old: dict[str, Any] = self.stack.template_dict.get("Resources", {})
        new: dict[str, Any] = self.template_dict["Resources"]
        standing = self.stack.resources
        found = [Change("Add", name, new[name]["Type"], None) for name in new if name not in old]
        found += [
            Change("Modify", name, new[name]["Type"], standing[name].physical_resource_id)
            for name in new
            if name in standing and new[name] != old[name]
        ]
        found += [
            Change("Remove", name, standing[name].cf_resource_type, standing[name].physical_resource_id)
            for name in standing
            if name not in new
        ]
        return found


def is_unchanged(stack: Stack, template: str, parameters: dict[str, str], tags: dict[str, str] | None) -> bool:
    """Whether an update to ``template`` would find nothing to do."""
    new = parse(template)
    raw = template_parameters.given_or_default(new, parameters)
    return bool(
        new == stack.template_dict
        and raw == stack.parameters
        and _resolved(new, raw, stack) == _present(stack)
        and (tags is None or tags == stack.tags)
    )


def _present(stack: Stack) -> dict[str, Any]:
    return stack.deployed_parameters


def _resolved(template: dict[str, Any], raw: dict[str, str], stack: Stack) -> dict[str, Any]:
    return template_parameters.resolved(template, raw, stack.region_name)
