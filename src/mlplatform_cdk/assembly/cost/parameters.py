"""What the parameters of nested stacks are: what the parent gives them, as far as that is decided before deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.intrinsics import resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.diff.sources import Source


def as_given(stacks: Mapping[str, Source], fallback_region: str) -> dict[str, Source]:
    """The stacks with what a parent gives as the defaults of a nested stack's parameters.

    :param stacks: each after the one that holds it.
    """
    found: dict[str, Source] = {}
    for key, source in stacks.items():
        parent = found[source.parent] if source.parent else None
        found[key] = source if parent is None else _inner(source, parent, source.region or fallback_region)
    return found


def _inner(source: Source, parent: Source, region: str) -> Source:
    declared = source.template.get("Parameters") or {}
    given = {name: resolved(value, parent.template, region) for name, value in source.passed.items()}
    parameters = {
        name: _with_default(parameter, given[name]) if name in given and isinstance(parameter, dict) else parameter
        for name, parameter in declared.items()
    }
    return replace(source, template={**source.template, "Parameters": parameters})


def _with_default(parameter: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """The parameter with this default; with none where only deployment knows it."""
    bare = {name: member for name, member in parameter.items() if name != "Default"}
    return bare if value is None else {**bare, "Default": value}
