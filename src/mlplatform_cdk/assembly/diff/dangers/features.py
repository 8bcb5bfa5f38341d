"""Features that go or change their type, which SageMaker refuses: ``UpdateFeatureGroup`` has additions alone.

The registry calls ``FeatureDefinitions`` a property that changes in place, and botocore's request of that call has
``FeatureAdditions`` and nothing that removes or changes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.model import StackDiff

_GROUP = "AWS::SageMaker::FeatureGroup"


def refused(stack: StackDiff) -> Iterator[Finding]:
    """The features that ``stack`` would have to take away from a group that stays."""
    for change in stack.changes:
        if change.before is None or change.after is None or change.made_anew or change.resource.type != _GROUP:
            continue
        what = list(_taken(_features(change.before), _features(change.after)))
        if what:
            yield danger(
                "update-refused",
                Severity.ERROR,
                f"FeatureDefinitions: {'; '.join(what)}",
                stack=stack,
                resource=change.resource,
                change=next((one for one in change.properties if "FeatureDefinitions" in one.path), None),
                reason="SageMaker only adds features to a group (UpdateFeatureGroup), so the deployment cannot do it",
                way_out="add a feature under a new name and let the readers go over, or define a second group",
            )


def _taken(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[str]:
    for name, kind in (before or {}).items():
        if after is None:
            return
        if name not in after:
            yield f"{name} is removed"
        elif after[name] != kind:
            yield f"{name} goes from {kind} to {after[name]}"


def _features(group: Resource) -> dict[str, Any] | None:
    """Name to type; None where deployment decides which there are."""
    definitions = group.properties.get("FeatureDefinitions")
    if not isinstance(definitions, list) or not all(isinstance(one, dict) for one in definitions):
        return None
    if not all(isinstance(one.get("FeatureName"), str) for one in definitions):
        return None
    return {one["FeatureName"]: one.get("FeatureType") for one in definitions}
