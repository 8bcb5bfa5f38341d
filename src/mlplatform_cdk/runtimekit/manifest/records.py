"""Frozen dataclasses from JSON, to JSON, and as JSON schema: one definition for the code and for the document."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mlplatform_cdk.runtimekit.errors import KnownError

_NAMES = {str: "a text", int: "an integer", float: "a number", bool: "true or false"}
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


class ManifestError(KnownError):
    """A manifest, or the archive around it, that does not hold what the contract says."""


# The type of a tensor's value in JSON: a number, a text, a boolean, null (a missing number), or lists of these.
Nested = Any


def decode(kind: Any, value: object, where: str) -> Any:
    """``value`` (as ``json.loads`` gave it) as ``kind``; ``where`` names it in an error."""
    form = _FORMS.get(get_origin(kind))
    if form is not None:
        return form(get_args(kind), value, where)
    if is_dataclass(kind):
        return _decode_record(kind, value, where)
    return _decode_nested(value, where) if kind is Nested else _decode_scalar(kind, value, where)


def encode(value: object) -> Any:
    """``value`` as ``json.dumps`` takes it; fields that are ``None`` are left out."""
    if is_dataclass(value):
        named = ((one.name, getattr(value, one.name)) for one in fields(value))
        return {name: encode(item) for name, item in named if item is not None}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return [encode(item) for item in value] if isinstance(value, list | tuple) else value


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of ``kind``; records are referred to by name, see ``definitions``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return {"$ref": f"#/$defs/{_name(kind)}"}
    if origin is tuple:
        return {"type": "array", "items": schema(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema(arguments[1])}
    if origin in (types.UnionType, Union):
        choices = [schema(one) for one in arguments if one is not types.NoneType]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin is Literal:
        return {"enum": list(arguments)}
    return {"$ref": "#/$defs/Nested"} if kind is Nested else {"type": _SCALARS[kind]}


def definitions(*kinds: type) -> dict[str, Any]:
    """The ``$defs`` of ``kinds``; each field is described by the ``:param`` line of its class."""
    leaves = [{"type": name} for name in ("number", "string", "boolean", "null")]
    nested = {"Nested": {"anyOf": [*leaves, {"type": "array", "items": {"$ref": "#/$defs/Nested"}}]}}
    return nested | {_name(kind): _record_schema(kind) for kind in kinds}


def _record_schema(kind: type) -> dict[str, Any]:
    hints, texts = get_type_hints(kind), _parameters(kind)
    return {
        "type": "object",
        "description": (kind.__doc__ or "").split("\n", 1)[0],
        "properties": {one.name: schema(hints[one.name]) | {"description": texts[one.name]} for one in fields(kind)},
        "required": [one.name for one in fields(kind) if _is_required(one)],
        "additionalProperties": False,
    }


def _parameters(kind: type) -> dict[str, str]:
    parts = (kind.__doc__ or "").split(":param ")[1:]
    named = (part.split(":", 1) for part in parts)
    return {name: " ".join(text.split("\n\n", 1)[0].split()) for name, text in named}


def _is_required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _name(kind: Any) -> str:
    return str(kind.__name__)


def _decode_record(kind: Any, value: object, where: str) -> Any:
    entries = _expect(dict, value, where, "an object")
    known = {one.name: one for one in fields(kind)}
    missing = [name for name, one in known.items() if _is_required(one) and name not in entries]
    if missing:
        raise ManifestError(f"{where} must have {', '.join(missing)}, got {', '.join(sorted(entries)) or 'nothing'}")
    unknown = sorted(set(entries) - set(known))
    if unknown:
        raise ManifestError(f"{where} must have only {', '.join(known)}, got {', '.join(unknown)}")
    hints = get_type_hints(kind)
    return kind(**{name: decode(hints[name], item, f"{where}.{name}") for name, item in entries.items()})


def _decode_list(kinds: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    items = _expect(list, value, where, "a list")
    return tuple(decode(kinds[0], item, f"{where}[{index}]") for index, item in enumerate(items))


def _decode_mapping(kinds: tuple[Any, ...], value: object, where: str) -> dict[str, Any]:
    entries = _expect(dict, value, where, "an object")
    return {key: decode(kinds[1], item, f"{where}.{key}") for key, item in entries.items()}


def _decode_union(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    given = [kind for kind in kinds if kind is not types.NoneType]
    if len(given) == 1:
        return decode(given[0], value, where)
    for kind in given:
        if isinstance(value, kind) and not isinstance(value, bool):
            return value
    names = " or ".join(_NAMES[kind] for kind in given)
    raise ManifestError(f"{where} must be {names}, got {_shown(value)}")


def _decode_literal(allowed: tuple[object, ...], value: object, where: str) -> object:
    if value not in allowed or type(value) not in {type(one) for one in allowed}:
        raise ManifestError(f"{where} must be one of {', '.join(map(str, allowed))}, got {_shown(value)}")
    return value


def _decode_nested(value: object, where: str) -> object:
    if isinstance(value, list):
        return [_decode_nested(item, where) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise ManifestError(f"{where} must be numbers or texts in lists, got {_shown(value)}")


def _decode_scalar(kind: type, value: object, where: str) -> object:
    accepted = (int, float) if kind is float else (kind,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ManifestError(f"{where} must be {_NAMES[kind]}, got {_shown(value)}")
    return float(value) if kind is float else value  # type: ignore[arg-type]


def _expect(kind: type, value: object, where: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise ManifestError(f"{where} must be {name}, got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else repr(value)


_FORMS = {
    tuple: _decode_list,
    Mapping: _decode_mapping,
    types.UnionType: _decode_union,
    Union: _decode_union,
    Literal: _decode_literal,
}
