"""CloudFormation's operations on change sets, in place of moto's, which lose outputs and know no order."""

from __future__ import annotations

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.utils import generate_changeset_id

from mlplatform_cdk.local.adapters.cloudformation import engine
from mlplatform_cdk.local.adapters.cloudformation.backend import (
    new_stack,
    refuse_unknown_types,
    require_rest,
    start,
)
from mlplatform_cdk.local.adapters.cloudformation.changes import ChangeSet
from mlplatform_cdk.local.adapters.cloudformation.stack import Stack


class ChangeSetNotFound(CloudFormationError):
    """No such change set; the cdk CLI knows the code and waits for it after a deletion."""

    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


def install() -> None:
    """Put our operations in moto's place."""
    for operation in (create_change_set, describe_change_set, delete_change_set, execute_change_set):
        setattr(CloudFormationBackend, operation.__name__, operation)


def create_change_set(
    self: CloudFormationBackend,
    stack_name: str,
    change_set_name: str,
    template: str,
    parameters: dict[str, str],
    description: str,
    change_set_type: str,
    notification_arns: list[str] | None = None,
    tags: dict[str, str] | None = None,
    role_arn: str | None = None,
) -> tuple[str, str]:
    """Work out what would change."""
    refuse_unknown_types(template)
    stack: Stack
    existing = [s for s in self.stacks.values() if stack_name in {s.name, s.stack_id}]
    if existing and (change_set_type == "UPDATE" or existing[0].status == "REVIEW_IN_PROGRESS"):
        stack = existing[0]
    elif existing:
        raise ValidationError(message=f"Stack [{stack_name}] already exists and cannot be created again")
    elif change_set_type == "UPDATE":
        raise ValidationError(message=f"Stack [{stack_name}] does not exist")
    else:
        stack = new_stack(self, stack_name, notification_arns, tags, role_arn)
        stack.say("REVIEW_IN_PROGRESS", "User Initiated")
        self.stacks[stack.stack_id] = stack
    change_set = ChangeSet(
        stack=stack,
        change_set_id=generate_changeset_id(change_set_name, self.region_name, self.account_id),
        name=change_set_name,
        kind=change_set_type,
        template=template,
        parameters=parameters,
        tags=tags,
        description=description,
    )
    self.change_sets[change_set.change_set_id] = change_set
    return change_set.change_set_id, stack.stack_id


def describe_change_set(self: CloudFormationBackend, change_set_name: str) -> ChangeSet:
    """The newest change set of that name or id."""
    found = [
        change_set
        for change_set_id, change_set in self.change_sets.items()
        if change_set_name in {change_set_id, change_set.change_set_name}
    ]
    if not found:
        raise ChangeSetNotFound(change_set_name)
    return found[-1]


def delete_change_set(self: CloudFormationBackend, change_set_name: str) -> None:
    """Forget change sets of that name or id; none is no error."""
    for change_set_id, change_set in list(self.change_sets.items()):
        if change_set_name in {change_set_id, change_set.change_set_name}:
            del self.change_sets[change_set_id]


def execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Start to make the changes."""
    change_set = _of_stack(self, change_set_name, stack_name)
    if change_set.execution_status != "AVAILABLE":
        raise ValidationError(
            message=f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
            f"[{change_set.status}]"
        )
    stack = change_set.stack
    change_set.execution_status = "EXECUTE_COMPLETE"
    stack.change_set_id = change_set.change_set_id
    stack.tags = change_set.tags
    if change_set.change_set_type == "CREATE":
        stack.take(change_set.template, change_set.parameters)
        stack.scope()
        stack.status = "CREATE_IN_PROGRESS"
        start(stack, lambda: engine.create(stack))
    else:
        require_rest(stack)
        stack.status = "UPDATE_IN_PROGRESS"
        start(stack, lambda: engine.update(stack, change_set.template, change_set.parameters))


def _of_stack(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None) -> ChangeSet:
    found = [
        change_set
        for change_set_id, change_set in backend.change_sets.items()
        if change_set_name in {change_set_id, change_set.change_set_name}
        and (stack_name is None or stack_name in {change_set.stack_name, change_set.stack_id})
    ]
    if not found:
        raise ChangeSetNotFound(change_set_name)
    return found[-1]
