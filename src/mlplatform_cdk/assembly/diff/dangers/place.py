"""How a danger is written down: its rule, its place and its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.model import PropertyChange, StackDiff


def danger(
    rule: str,
    severity: Severity,
    message: str,
    *,
    stack: StackDiff,
    resource: Resource | None = None,
    change: PropertyChange | None = None,
    reason: str,
    way_out: str,
) -> Finding:
    """One danger.

    :param resource: where; default: the whole stack.
    :param change: the property that says so; default: the whole resource.
    """
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        stack=stack.key,
        logical_id=resource.logical_id if resource else "",
        construct_path=resource.path if resource else "",
        property_path=change.name if change else "",
        reason=reason,
        way_out=way_out,
        file=stack.source.file,
    )
