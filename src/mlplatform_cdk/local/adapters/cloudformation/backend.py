"""CloudFormation's operations on our stacks, in place of moto's: work goes on while the caller polls, as in AWS."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id
from moto.core.responses import ActionResult

from mlplatform_cdk.local.adapters.cloudformation import engine
from mlplatform_cdk.local.adapters.cloudformation.changes import is_unchanged
from mlplatform_cdk.local.adapters.cloudformation.registry import kind_of
from mlplatform_cdk.local.adapters.cloudformation.stack import Stack
from mlplatform_cdk.local.adapters.cloudformation.template import parse

if TYPE_CHECKING:
    from collections.abc import Callable


HEAD_START_SECONDS = 1.0
"""How long an operation is waited for before it is answered: most are over by then, so pollers see the end at once."""


def install() -> None:
    """Put our operations in moto's place."""
    for operation in (
        create_stack,
        update_stack,
        delete_stack,
    ):
        setattr(CloudFormationBackend, operation.__name__, operation)
    # Whether there is anything to update is ours to say: an empty change set fails, it is not refused.
    CloudFormationResponse._validate_different_update = _never_refused
    CloudFormationResponse.validate_template = _validated


def _never_refused(*_arguments: Any) -> None:
    return None


def _validated(self: CloudFormationResponse) -> ActionResult:
    """The answer of ValidateTemplate; moto's reads JSON once more, as YAML, which takes longer than anything else."""
    url = self._get_param("TemplateURL")
    text = self._get_stack_from_s3_url(url) if url else self._get_param("TemplateBody")
    refuse_unknown_types(text)
    answer: dict[str, Any] = {"Parameters": [], "Capabilities": [], "DeclaredTransforms": []}
    return ActionResult(answer | {"Description": parse(text).get("Description", "")})


def create_stack(
    self: CloudFormationBackend,
    name: str,
    template: str,
    parameters: dict[str, Any],
    notification_arns: list[str] | None = None,
    tags: dict[str, str] | None = None,
    role_arn: str | None = None,
    enable_termination_protection: bool | None = False,  # noqa: FBT001, FBT002 -- moto's signature
    timeout_in_mins: int | None = None,  # noqa: ARG001 -- moto's signature
    stack_policy_body: str | None = None,  # noqa: ARG001 -- moto's signature
) -> Stack:
    """Start to create a stack."""
    if any(stack.name == name for stack in self.stacks.values()):
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    refuse_unknown_types(template)
    stack = new_stack(self, name, notification_arns, tags, role_arn)
    stack.enable_termination_protection = bool(enable_termination_protection)
    stack.take(template, parameters)
    stack.scope()
    stack.status = "CREATE_IN_PROGRESS"
    self.stacks[stack.stack_id] = stack
    start(stack, lambda: engine.create(stack))
    return stack


def update_stack(
    self: CloudFormationBackend,
    name: str,
    template: str,
    role_arn: str | None,
    parameters: list[dict[str, Any]],
    tags: dict[str, str] | None,
) -> Stack:
    """Start to update a stack."""
    stack: Stack = self.get_stack(name)
    require_rest(stack)
    refuse_unknown_types(template)
    given = previous_or_given(stack, parameters)
    if is_unchanged(stack, template, given, tags):
        raise ValidationError(message="No updates are to be performed.")
    stack.role_arn = role_arn or stack.role_arn
    stack.tags = stack.tags if tags is None else tags
    start(stack, lambda: engine.update(stack, template, given))
    return stack


def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    """Start to delete a stack; one that does not exist is no error."""
    found = [s for s in self.stacks.values() if name_or_stack_id in {s.name, s.stack_id}]
    if not found:
        return
    stack: Stack = found[0]
    if stack.enable_termination_protection:
        raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    _refuse_while_imported(self, stack)

    def work() -> None:
        engine.delete(stack)
        if stack.status == "DELETE_COMPLETE":
            self.stacks.pop(stack.stack_id, None)
            self.deleted_stacks[stack.stack_id] = stack

    start(stack, work)


def refuse_unknown_types(template: str) -> None:
    """Nothing is made of a template that asks for what the embedded AWS does not have."""
    unknown = sorted(
        f"{entry['Type']} ({logical_id})"
        for logical_id, entry in parse(template)["Resources"].items()
        if kind_of(entry["Type"]) is None
    )
    if unknown:
        raise ValidationError(message=f"the embedded AWS has no {', '.join(unknown)}")


def previous_or_given(stack: Stack, parameters: list[dict[str, Any]]) -> dict[str, str]:
    """The parameters of an update, those with UsePreviousValue from the stack."""
    return {
        entry["ParameterKey"]: stack.parameters[entry["ParameterKey"]]
        if entry.get("UsePreviousValue")
        else entry["ParameterValue"]
        for entry in parameters
    }


def new_stack(
    backend: CloudFormationBackend,
    name: str,
    notification_arns: list[str] | None,
    tags: dict[str, str] | None,
    role_arn: str | None,
) -> Stack:
    """A stack without a template yet."""
    return Stack(
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        account_id=backend.account_id,
        region_name=backend.region_name,
        shared_exports=backend.exports,
        tags=tags,
        role_arn=role_arn,
        notification_arns=notification_arns,
    )


def require_rest(stack: Stack) -> None:
    """Refuse a stack that something else is going on with."""
    if not stack.status.endswith("_COMPLETE") or stack.status in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def _refuse_while_imported(backend: CloudFormationBackend, stack: Stack) -> None:
    for other in backend.stacks.values():
        for export in stack.exports:
            if other is not stack and f'"Fn::ImportValue": "{export.name}"' in str(other.template):
                raise ValidationError(message=f"Export {export.name} cannot be deleted as it is in use by {other.name}")


def start(stack: Stack, work: Callable[[], None]) -> None:
    """Let ``work`` go on, and wait a little for its end."""
    thread = threading.Thread(target=work, name=f"stack {stack.name}", daemon=True)
    thread.start()
    thread.join(HEAD_START_SECONDS)
