"""Turns a template's properties into an API's parameters, by botocore's model of that API.

CloudFormation writes numbers as text, documents as objects, tags as pairs and names in other cases than many an API.
"""

from __future__ import annotations

import json
from typing import Any

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def fitted(shape: Any, value: Any, path: str, lost: list[str]) -> Any:  # noqa: PLR0911 -- one for each kind of shape
    """``value`` as ``shape`` takes it; what the shape has no place for is added to ``lost`` by its path."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _structure(shape, value, path, lost)
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fitted(shape.member, item, path, lost) for item in items]
    if kind == "map":
        return _map(shape, value, path, lost)
    if kind == "string":
        return _text(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind in _NUMBERS and isinstance(value, (str, int, float)):
        return _NUMBERS[kind](value)
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _structure(shape: Any, value: dict[str, Any], path: str, lost: list[str]) -> dict[str, Any]:
    if set(value) == {"Key", "Value"} and "Key" not in shape.members:
        value = {_ending_in(shape, "key"): value["Key"], _ending_in(shape, "value"): value["Value"]}
    names = {name.lower(): name for name in shape.members}
    fit = {}
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        name = names.get(key.lower())
        if name is None:
            lost.append(inner)
        else:
            fit[name] = fitted(shape.members[name], item, inner, lost)
    return fit


def _ending_in(shape: Any, ending: str) -> str:
    return next((str(name) for name in shape.members if name.lower().endswith(ending)), ending)


def _map(shape: Any, value: Any, path: str, lost: list[str]) -> dict[str, Any]:
    if isinstance(value, list):
        value = {pair["Key"]: pair["Value"] for pair in value}
    return {str(key): fitted(shape.value, item, f"{path}.{key}", lost) for key, item in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
