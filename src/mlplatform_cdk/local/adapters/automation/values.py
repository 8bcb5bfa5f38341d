"""Values of an execution: parameters that whoever starts it gives, references to them, and paths into answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_REFERENCE = re.compile(r"\{\{ *([\w.:-]+) *\}\}")
_PART = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_PATH = re.compile(rf"\$(?:{_PART.pattern})*")
# https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeAwsApi.html
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Boolean": bool,
    "StringList": list,
    "MapList": list,
    "StringMap": dict,
}
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")


class Wrong(Exception):
    """What a document, or whoever started it, asked for cannot be."""


def given(content: Mapping[str, Any], parameters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The values of a document's parameters.

    :param content: the document.
    :param parameters: what was given, each a list of texts.
    :raises Wrong: when one is missing, unknown, or not what the document allows.
    """
    known: Mapping[str, Any] = content.get("parameters") or {}
    if unknown := sorted({*parameters} - {*known}):
        raise Wrong(f"the document has no parameter {unknown[0]}; it has {', '.join(known) or 'none'}")
    return {name: _value(name, one, parameters.get(name)) for name, one in known.items()}


def _value(name: str, definition: Mapping[str, Any], given_: Sequence[str] | None) -> Any:
    if given_ is None:
        if "default" not in definition:
            raise Wrong(f"the parameter {name} must be given")
        return definition["default"]
    if definition["type"] == "StringList":
        return [*given_]
    if len(given_) != 1:
        raise Wrong(f"the parameter {name} must have one value, got {len(given_)}")
    (text,) = given_
    pattern, allowed = definition.get("allowedPattern"), definition.get("allowedValues")
    if allowed is not None and text not in [str(one) for one in allowed]:
        raise Wrong(f"the parameter {name} must be one of {', '.join(map(str, allowed))}, got {text!r}")
    if pattern is not None and re.search(pattern, text) is None:
        raise Wrong(f"the parameter {name} must match {pattern}, got {text!r}")
    if definition["type"] == "AWS::IAM::Role::Arn" and _ROLE.fullmatch(text) is None:
        raise Wrong(f"the parameter {name} must be the ARN of a role, got {text!r}")
    return text == "true" if definition["type"] == "Boolean" else text


def filled(value: Any, look_up: Callable[[str], Any]) -> Any:
    """``value`` with its references filled in; a text that is one reference takes the type of what that leads to."""
    if isinstance(value, Mapping):
        return {key: filled(one, look_up) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, look_up) for one in value]
    if not isinstance(value, str):
        return value
    alone = _REFERENCE.fullmatch(value)
    return look_up(alone[1]) if alone else _REFERENCE.sub(lambda found: str(look_up(found[1])), value)


def found(path: str, answer: Any) -> Any:
    """What ``path`` leads to in ``answer``; None: nothing.

    :param path: of names and indices, such as ``$.Items[0].name``.
    :raises Wrong: for any other path.
    """
    if _PATH.fullmatch(path) is None:
        raise Wrong(f"a path must be of names and indices in the embedded AWS, got {path!r}")
    value = answer
    for name, index in _PART.findall(path):
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value


def outputs(step: Mapping[str, Any], answer: Any) -> dict[str, Any]:
    """What a step lets later ones read.

    :raises Wrong: when the answer does not have it, or not of that type.
    """
    made = {}
    for one in step.get("outputs") or ():
        name, kind = one["Name"], one["Type"]
        value = found(one["Selector"], answer)
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "Boolean"):
            raise Wrong(f"the output {name} must be of type {kind}, got {value!r} by {one['Selector']}")
        made[name] = value
    return made


def text_of(value: Any) -> str:
    """A value as it is compared with the texts of a document."""
    return str(value).lower() if isinstance(value, bool) else str(value)
