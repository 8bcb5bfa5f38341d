"""The difference for programs: the report, and every change with its values; docs/diff.schema.json describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.renderings.jsonform import as_document

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff.model import AssemblyDiff, PropertyChange, ResourceChange, StackDiff
    from mlplatform_cdk.assembly.findings import Report


def render_diff(diff: AssemblyDiff, report: Report) -> str:
    """The report as JSON, with the changes instead of the tables."""
    document = as_document(report)
    del document["tables"]
    document |= {"base": diff.base, "head": diff.head, "compared": diff.compared}
    document["stacks"] = [_stack(stack) for stack in diff.stacks]
    return json.dumps(document, indent=2) + "\n"


def _stack(stack: StackDiff) -> dict[str, Any]:
    both = stack.before is not None and stack.after is not None
    return {
        "name": stack.key,
        "file": stack.source.file,
        "action": "changed" if both else "added" if stack.after else "removed",
        "resources": [_resource(change) for change in stack.changes],
        "template": [
            {"section": one.section, "name": one.name, "before": one.before, "after": one.after}
            for one in stack.sections
        ],
    }


def _resource(change: ResourceChange) -> dict[str, Any]:
    resource = change.resource
    document: dict[str, Any] = {
        "action": change.action.value,
        "logical_id": resource.logical_id,
        "type": resource.type,
        "only_assets": change.only_assets,
        "properties": [_property(one) for one in change.properties],
    }
    if resource.path:
        document["construct_path"] = resource.path
    if change.before and change.before.logical_id != resource.logical_id:
        document["previous_logical_id"] = change.before.logical_id
    if change.because:
        document["because"] = change.because
    if other := change.counterpart:
        way = "moves_to" if change.after is None else "moves_from"
        document[way] = {"stack": other.stack, "logical_id": other.resource.logical_id}
    return document


def _property(one: PropertyChange) -> dict[str, Any]:
    return {
        "path": list(one.path),
        "before": one.before,
        "after": one.after,
        "effect": one.effect.value,
        "asset": one.asset,
    }
