"""Which resources of a template need which others, and so the order to make them in."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


def creation_order(resources: dict[str, Any]) -> list[str]:
    """Logical ids, each after all that it refers to or depends on."""
    graph = {
        logical_id: sorted({name for name in needed(entry) if name in resources and name != logical_id})
        for logical_id, entry in resources.items()
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise CannotProvision(f"Circular dependency between resources: [{', '.join(error.args[1])}]") from None


def needed(entry: dict[str, Any]) -> Iterator[str]:
    """Every name that a resource of a template refers to or depends on."""
    depends_on = entry.get("DependsOn", [])
    yield from [depends_on] if isinstance(depends_on, str) else depends_on
    yield from references(entry.get("Properties", {}))


def references(value: Any) -> Iterator[str]:
    """Every name that ``value`` refers to: parameters, pseudo parameters and resources."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else str(inner[0])
            elif key == "Fn::Sub":
                yield from _substituted(inner)
            else:
                yield from references(inner)


def _substituted(inner: Any) -> Iterator[str]:
    text, given = (inner, {}) if isinstance(inner, str) else inner
    yield from (name.split(".")[0] for name in _PLACEHOLDER.findall(text) if name not in given)
    yield from references(given)
