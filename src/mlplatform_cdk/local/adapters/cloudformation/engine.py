"""Makes, changes and deletes what a template says, in the order of its references; on failure, back to where it was."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import ServiceException

from mlplatform_cdk.local import deployment_notes as notes
from mlplatform_cdk.local.adapters.cloudformation.graph import creation_order, needed
from mlplatform_cdk.local.adapters.cloudformation.registry import kind_of
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision, MustReplace, Properties, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplatform_cdk.local.adapters.cloudformation.intrinsics import Scope
    from mlplatform_cdk.local.adapters.cloudformation.stack import Stack

_log = logging.getLogger(__name__)
_KEPT = {"Retain", "RetainExceptOnCreate", "Snapshot"}


def create(stack: Stack) -> None:
    """Make everything; when something fails, delete what was made."""
    stack.say("CREATE_IN_PROGRESS", "User Initiated")
    try:
        _apply(stack, previous={}, replaced=[])
        stack.publish_outputs()
    except Exception as error:  # noqa: BLE001 -- whatever fails is the stack's reason, and the log's
        reason = _reason(error)
        if stack.disable_rollback:
            stack.say("CREATE_FAILED", reason)
            return
        stack.say("ROLLBACK_IN_PROGRESS", reason)
        failed = _delete_all(stack, stack.resources.values(), is_rollback=True)
        stack.say("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", f"{reason} {failed}".strip())
        return
    stack.say("CREATE_COMPLETE")


def update(stack: Stack, text: str, parameters: dict[str, str]) -> None:
    """Bring the stack to the template ``text``; when something fails, back to the one that it has."""
    old_text, old_parameters = stack.template, stack.parameters
    stack.say("UPDATE_IN_PROGRESS", "User Initiated")
    previous = dict(stack.resources)
    replaced: list[tuple[Resource, Resource]] = []
    try:
        stack.take(text, parameters)
        _apply(stack, previous, replaced)
        stack.publish_outputs()
    except Exception as error:  # noqa: BLE001 -- whatever fails is the stack's reason, and the log's
        stack.say("UPDATE_ROLLBACK_IN_PROGRESS", _reason(error))
        stack.resources |= {name: resource for name, resource in previous.items() if name not in stack.resources}
        stack.resources |= {before.logical_resource_id: before for before, _after in replaced}
        _back(stack, old_text, old_parameters, _reason(error), [after for _before, after in replaced])
        return
    stack.say("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    gone = [resource for logical_id, resource in previous.items() if logical_id not in stack.resources]
    failed = _delete_all(stack, [*(before for before, _after in replaced), *gone], forget=False)
    stack.say("UPDATE_COMPLETE", failed or None)


def delete(stack: Stack) -> None:
    """Delete everything that the template does not retain."""
    stack.say("DELETE_IN_PROGRESS", "User Initiated")
    failed = _delete_all(stack, stack.resources.values())
    if failed:
        stack.say("DELETE_FAILED", failed)
        return
    stack.withdraw_outputs()
    stack.say("DELETE_COMPLETE")


def _back(stack: Stack, text: str, parameters: dict[str, str], reason: str, unwanted: list[Resource]) -> None:
    made = dict(stack.resources)
    replaced: list[tuple[Resource, Resource]] = []
    try:
        stack.take(text, parameters)
        _apply(stack, made, replaced)
        stack.publish_outputs()
    except Exception as error:  # noqa: BLE001 -- as above
        stack.say("UPDATE_ROLLBACK_FAILED", _reason(error))
        return
    added = [resource for logical_id, resource in made.items() if logical_id not in stack.resources]
    failed = _delete_all(stack, [*unwanted, *(before for before, _after in replaced), *added], forget=False)
    stack.say("UPDATE_ROLLBACK_COMPLETE", f"{reason} {failed}".strip())


def _apply(stack: Stack, previous: dict[str, Resource], replaced: list[tuple[Resource, Resource]]) -> None:
    """Create and update in order; pairs of old and new go to ``replaced``, the old ones not yet deleted."""
    entries: dict[str, Any] = stack.template_dict["Resources"]
    scope = stack.scope()
    order = creation_order(entries)
    wanted = [name for name in order if "Condition" not in entries[name] or scope.holds(entries[name]["Condition"])]
    for logical_id in list(stack.resources):
        if logical_id not in wanted:
            del stack.resources[logical_id]
    for logical_id in wanted:
        resource = _resolved(stack, scope, logical_id, entries[logical_id])
        before = previous.get(logical_id)
        if before is None:
            _create(stack, resource)
        elif before.cf_resource_type != resource.cf_resource_type:
            _create(stack, resource)
            replaced.append((before, resource))
        elif _differs(resource, before):
            _update(stack, resource, before)
            if resource.physical_resource_id != before.physical_resource_id:
                replaced.append((before, resource))
        else:
            before.entry = resource.entry
            stack.resources[logical_id] = before


def _resolved(stack: Stack, scope: Scope, logical_id: str, entry: dict[str, Any]) -> Resource:
    kind = kind_of(entry["Type"])
    if kind is None:
        raise CannotProvision(f"the embedded AWS has no {entry['Type']}, which {logical_id} is")
    try:
        properties = scope.resolve(entry.get("Properties", {}))
    except CannotProvision as error:
        raise CannotProvision(f"{logical_id} ({entry['Type']}): {error}") from error
    resource = Resource(
        logical_resource_id=logical_id,
        cf_resource_type=entry["Type"],
        properties=Properties(properties),
        stack_id=stack.stack_id,
        stack_name=stack.name,
        account=stack.account_id,
        region=stack.region_name,
        kind=kind,
    )
    resource.entry = json.loads(json.dumps({"given": properties, "entry": entry}))
    return resource


def _differs(resource: Resource, before: Resource) -> bool:
    return bool(resource.entry["given"] != before.entry["given"])


def _create(stack: Stack, resource: Resource) -> None:
    stack.say_of(resource, "CREATE_IN_PROGRESS")
    try:
        resource.kind.create(resource)
    except Exception as error:
        raise _failure(stack, resource, "CREATE_FAILED", error) from error
    stack.resources[resource.logical_resource_id] = resource
    stack.say_of(resource, "CREATE_COMPLETE", _note(resource))


def _update(stack: Stack, resource: Resource, before: Resource) -> None:
    stack.say_of(before, "UPDATE_IN_PROGRESS")
    try:
        resource.kind.update(resource, before)
    except MustReplace:
        resource.properties = Properties(resource.entry["given"])
        resource.physical_resource_id, resource.attributes, resource.model = "", {}, None
        stack.say_of(before, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource")
        _replace(stack, resource, before)
        return
    except Exception as error:
        raise _failure(stack, before, "UPDATE_FAILED", error) from error
    stack.resources[resource.logical_resource_id] = resource
    stack.say_of(resource, "UPDATE_COMPLETE", _note(resource))


def _replace(stack: Stack, resource: Resource, before: Resource) -> None:
    try:
        resource.kind.create(resource)
    except Exception as error:
        raise _failure(stack, before, "UPDATE_FAILED", error) from error
    stack.resources[resource.logical_resource_id] = resource
    stack.say_of(resource, "UPDATE_COMPLETE", _note(resource))


def _delete_all(stack: Stack, resources: Iterable[Resource], *, is_rollback: bool = False, forget: bool = True) -> str:
    """Delete in reverse order of creation; what could not be deleted is the answer, as a sentence.

    What such a resource refers to or depends on stays with it, as on AWS, until it goes at another attempt.
    """
    failed: list[str] = []
    held: set[str] = set()
    for resource in reversed(list(resources)):
        if resource.logical_resource_id in held:
            held.update(needed(resource.entry["entry"]))
            continue
        if _is_kept(resource, is_rollback=is_rollback):
            stack.say_of(resource, "DELETE_SKIPPED")
        else:
            stack.say_of(resource, "DELETE_IN_PROGRESS")
            try:
                resource.kind.delete(resource)
            except Exception as error:  # noqa: BLE001 -- what it does not need is deleted all the same
                stack.say_of(resource, "DELETE_FAILED", _reason(error))
                failed.append(resource.logical_resource_id)
                held.update(needed(resource.entry["entry"]))
                continue
            stack.say_of(resource, "DELETE_COMPLETE")
        if forget:
            stack.resources.pop(resource.logical_resource_id, None)
    return f"The following resource(s) failed to delete: [{', '.join(failed)}]." if failed else ""


def _is_kept(resource: Resource, *, is_rollback: bool) -> bool:
    policy = resource.entry["entry"].get("DeletionPolicy", "Delete")
    return policy in (_KEPT - {"RetainExceptOnCreate"} if is_rollback else _KEPT)


def _note(resource: Resource) -> str | None:
    ignored = sorted({*resource.properties.ignored(), *resource.lost})
    said = [notes.stand_in(resource.kind.stand_in)] if resource.kind.stand_in else []
    if ignored and not resource.kind.stand_in:
        said.append(notes.not_honoured(ignored))
    return "; ".join(said) or None


def _failure(stack: Stack, resource: Resource, status: str, error: Exception) -> CannotProvision:
    reason = _reason(error)
    stack.say_of(resource, status, reason)
    return CannotProvision(f"{resource.logical_resource_id} ({resource.cf_resource_type}): {reason}")


def _reason(error: Exception) -> str:
    if isinstance(error, CannotProvision):
        return str(error)
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {error.response['Error'].get('Message') or error}"
    if isinstance(error, (ServiceException, BotoCoreError)):
        return str(getattr(error, "message", "") or error)
    _log.exception("provisioning failed")
    return f"{type(error).__name__}: {error}"
