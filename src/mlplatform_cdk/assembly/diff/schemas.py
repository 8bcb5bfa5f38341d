"""What AWS's resource type registry says of a property: whether a change replaces the resource, whether order counts.

The registry's schemas ship inside cfn-lint, so no account is asked. Where CloudFormation's user guide says that a
property replaces and the registry does not, it may; where the registry names a condition and the guide none, it does
(``documented_replacements.json``).
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ANYWHERE = "us-east-1"  # the region that knows nearly every type
_BRANCHES = ("allOf", "anyOf", "oneOf")


class Effect(StrEnum):
    """What the change of a property does to the resource."""

    UPDATE = "update"
    MAY_REPLACE = "may-replace"
    REPLACE = "replace"
    HANDLER = "handler-decides"


class Schema:
    """The registry's word on one resource type; of an unknown type it knows nothing."""

    def __init__(
        self, document: Mapping[str, Any] | None, documented: Sequence[str] = (), certain: Sequence[str] = ()
    ) -> None:
        self._document: Mapping[str, Any] = document or {}
        self.known = document is not None
        self._replacing = _pointers(self._document, "createOnlyProperties")
        self._maybe = _pointers(self._document, "conditionalCreateOnlyProperties") + tuple(
            (name,) for name in documented
        )
        self._certain = tuple(tuple(name.split("/")) for name in certain)
        self._maybe += tuple(pointer for pointer in self._certain if "*" not in pointer)
        self.deletes_first = self._document.get("replacementStrategy") == "delete_then_create"

    def effect(self, path: Sequence[str], before: Any, after: Any) -> Effect:
        """What a change at ``path`` from ``before`` to ``after`` does; both may hold a deeper property that decides."""
        values = (before, after)
        if any(_touches(pointer, path, values) for pointer in self._replacing):
            return Effect.REPLACE
        if any(_edits(pointer, path, before, after) for pointer in self._certain):
            return Effect.REPLACE
        if any(_touches(pointer, path, values) for pointer in self._maybe):
            return Effect.MAY_REPLACE
        return Effect.UPDATE

    def replacing_properties(self) -> tuple[tuple[str, ...], ...]:
        """Paths of the properties whose change replaces the resource."""
        return self._replacing

    def shaped(self, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties with every list sorted of which the registry says that its order does not count."""
        return {
            name: self._shaped(value, self._member(self._document, name), name) for name, value in properties.items()
        }

    def _shaped(self, value: Any, node: Mapping[str, Any], name: str) -> Any:
        if isinstance(value, dict):
            return {inner: self._shaped(member, self._member(node, inner), inner) for inner, member in value.items()}
        if not isinstance(value, list):
            return value
        items = next((self._resolved(one["items"]) for one in self._every(node) if "items" in one), {})
        made = [self._shaped(member, items, name) for member in value]
        free = any(one.get("insertionOrder") is False for one in self._every(node))
        return sorted(made, key=_text) if free or _are_tags(name, made) else made

    def _member(self, node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        for one in self._every(node):
            properties = one.get("properties") or {}
            if name in properties:
                return self._resolved(properties[name])
            for pattern in (one.get("patternProperties") or {}).values():
                return self._resolved(pattern)
        return {}

    def _every(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield node
        for branch in _BRANCHES:
            for one in node.get(branch) or ():
                if isinstance(one, dict):
                    yield self._resolved(one)

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        if not isinstance(node, dict):
            return {}
        name = str(node.get("$ref", ""))
        if not name.startswith("#/definitions/"):
            return node
        return {**self._document.get("definitions", {}).get(name.rpartition("/")[2], {}), **node, "$ref": ""}


@cache
def schema_of(kind: str, region: str | None = None) -> Schema:
    """The schema of a resource type.

    :param region: where, since types differ by region; default: where nearly all are known.
    """
    registry = _registry()
    guide = _documented()
    for place in (region, _ANYWHERE):
        try:
            found = registry.PROVIDER_SCHEMA_MANAGER.get_resource_schema(place, kind).schema
            return Schema(found, guide["types"].get(kind, ()), guide["certain"]["types"].get(kind, ()))
        except (registry.ResourceNotFoundError, KeyError, TypeError):
            continue  # a region that cfn-lint does not know, or a type that the region does not have
    return Schema(None)


@cache
def _documented() -> dict[str, Any]:
    file = Path(__file__).with_name("documented_replacements.json")
    guide: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return guide


def _registry() -> Any:
    try:
        return import_module("cfnlint.schema")
    except ModuleNotFoundError:
        raise AssemblyError(
            "comparing assemblies needs the schemas in cfn-lint, which is not installed; install mlplatform-cdk[check]"
        ) from None


def _pointers(document: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pointer.split("/")[2:]) for pointer in document.get(name) or ())


def _touches(pointer: tuple[str, ...], path: Sequence[str], values: tuple[Any, ...]) -> bool:
    depth = min(len(pointer), len(path))
    if any(want not in {"*", got} for want, got in zip(pointer[:depth], path[:depth], strict=True)):
        return False
    return len(path) >= len(pointer) or any(_holds(value, pointer[depth:]) for value in values)


def _edits(pointer: tuple[str, ...], path: Sequence[str], before: Any, after: Any) -> bool:
    """Whether what ``pointer`` names stood before, stands after, and is another."""
    depth = min(len(pointer), len(path))
    if any(want not in {"*", got} for want, got in zip(pointer[:depth], path[:depth], strict=True)):
        return False
    if len(path) > len(pointer):
        return True  # a part of it differs, so that it stands on both sides
    rest = pointer[depth:]
    return "*" not in rest and _at(before, rest) not in (None, _at(after, rest)) and _at(after, rest) is not None


def _at(value: Any, rest: tuple[str, ...]) -> Any:
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _holds(value: Any, pointer: tuple[str, ...]) -> bool:
    if not pointer:
        return value is not None
    if isinstance(value, list):
        return any(_holds(member, pointer[1:] if pointer[0] == "*" else pointer) for member in value)
    if isinstance(value, dict):
        names = value if pointer[0] == "*" else [pointer[0]]
        return any(name in value and _holds(value[name], pointer[1:]) for name in names)
    return isinstance(value, str) and "${" in value  # unknown until deploy time


def _are_tags(name: str, members: list[Any]) -> bool:
    return name.endswith("Tags") and all(isinstance(one, dict) and set(one) <= {"Key", "Value"} for one in members)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
