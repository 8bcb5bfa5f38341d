"""A template's resources in one form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.diff.canonical.forms import Forms
    from mlplatform_cdk.assembly.diff.sources import Source

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(?=[.}])")
_NOTES = re.compile(r"aws:cdk:|aws:asset:|cdk_nag|cfn_nag|cfn-lint|checkov|guard", re.IGNORECASE)
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_SNAPSHOT_BY_DEFAULT = {"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource in its one form.

    :param attributes: what stands beside the properties: DependsOn, DeletionPolicy and the like.
    :param path: the construct that made it; empty where the assembly does not say.
    :param region: where it lives, as far as that is known.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    region: str | None = None

    @property
    def references(self) -> frozenset[str]:
        """Logical ids that its properties name, parameters among them."""
        return references(self.properties)

    @property
    def is_custom(self) -> bool:
        """Whether a Lambda function of the app's own makes it."""
        return self.type.startswith("Custom::") or self.type == "AWS::CloudFormation::CustomResource"


def references(value: Any) -> frozenset[str]:
    """Logical ids that a value in its one form names."""
    return frozenset(_REFERENCE.findall(json.dumps(value)))


def resources(source: Source, forms: Forms) -> dict[str, Resource]:
    """The stack's resources by their (renamed) logical ids, without those whose condition is certainly false."""
    found: dict[str, Resource] = {}
    for logical_id, raw in source.resources.items():
        resource = _resource(source, forms, logical_id, raw)
        if resource.attributes.get("Condition") is not False:
            found[resource.logical_id] = resource
    return found


def _resource(source: Source, forms: Forms, logical_id: str, raw: Mapping[str, Any]) -> Resource:
    kind = str(raw.get("Type"))
    value = forms.value(raw.get("Properties") or {})
    properties = value if isinstance(value, dict) else {"Fn::Transform": value}
    return Resource(
        logical_id=forms.name(logical_id),
        type=kind,
        properties=schema_of(kind, source.region).shaped(
            {name: one for name, one in properties.items() if one or not name.endswith("Tags")}  # no tags are none
        ),
        attributes=_attributes(kind, raw, forms, properties),
        path=source.path_of(logical_id),
        region=source.region,
    )


def _attributes(kind: str, raw: Mapping[str, Any], forms: Forms, properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: forms.value(raw[name]) for name in ("CreationPolicy", "UpdatePolicy") if name in raw}
    snapshot = kind in _SNAPSHOT_BY_DEFAULT and "DBClusterIdentifier" not in properties
    found["DeletionPolicy"] = str(forms.value(raw.get("DeletionPolicy") or ("Snapshot" if snapshot else "Delete")))
    found["UpdateReplacePolicy"] = str(forms.value(raw.get("UpdateReplacePolicy") or "Delete"))
    if (test := forms.condition(raw["Condition"]) if "Condition" in raw else True) is not True:
        found["Condition"] = test
    after = raw.get("DependsOn") or []
    named = {forms.name(one) for one in ([after] if isinstance(after, str) else after)}
    if waits := sorted(named - references(properties)):  # a reference is a dependency already
        found["DependsOn"] = waits
    metadata = raw.get("Metadata") or {}
    notes = metadata if isinstance(metadata, dict) else {"": metadata}
    if told := {name: forms.value(note) for name, note in notes.items() if not _NOTES.match(name)}:
        found["Metadata"] = told
    return found
