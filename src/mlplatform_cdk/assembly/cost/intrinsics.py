"""Values of a template, as far as they are decided before deployment; what is not, is None."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
HOLE = "\u2205"  # stands in a text for a part that deployment decides


def resolved(value: Any, template: Mapping[str, Any], region: str) -> Any:
    """``value`` with references to parameters replaced by their defaults; None for what only deployment knows."""
    if isinstance(value, list):
        return [resolved(each, template, region) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" or name.startswith("Fn::"):
            return _called(name, argument, template, region)
    return {name: resolved(each, template, region) for name, each in value.items()}


def text_with_holes(value: Any, template: Mapping[str, Any], region: str) -> str | None:
    """A text, with a hole for each part that only deployment knows."""
    if isinstance(value, dict) and list(value) == ["Fn::Join"]:
        argument = value["Fn::Join"]
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 -- a separator and the parts
            return None
        separator, parts = argument
        texts = [text_with_holes(part, template, region) for part in parts] if isinstance(parts, list) else [None]
        return str(separator).join(HOLE if text is None else text for text in texts)
    if isinstance(value, dict) and list(value) == ["Fn::Sub"]:
        text = next(iter(value["Fn::Sub"]), "") if isinstance(value["Fn::Sub"], list) else value["Fn::Sub"]
        return _VARIABLE.sub(HOLE, str(text)).replace("${!", "${")
    plain = resolved(value, template, region)
    return None if plain is None or isinstance(plain, dict | list) else str(plain)


def number(value: Any) -> Decimal | None:
    """A number that something can have, also when it is written as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = Decimal(str(value))
    except InvalidOperation:
        return None
    return parsed if parsed.is_finite() and parsed >= 0 else None


def _called(name: str, argument: Any, template: Mapping[str, Any], region: str) -> Any:
    if name == "Ref":
        return _reference(argument, template, region)
    if name == "Fn::Join" and isinstance(argument, list):
        return _joined(resolved(argument, template, region))
    if name == "Fn::Sub":
        return _substituted(argument, template, region)
    if name == "Fn::FindInMap":
        return _found(resolved(argument, template, region), template)
    return None


def _reference(name: Any, template: Mapping[str, Any], region: str) -> Any:
    if name == "AWS::Region":
        return region
    parameter = (template.get("Parameters") or {}).get(name)
    if not isinstance(parameter, dict) or str(parameter.get("Type", "")).startswith("AWS::SSM::"):
        return None  # a resource, or a parameter whose default is only the name of its value
    default = parameter.get("Default")
    if str(parameter.get("Type")) in {"CommaDelimitedList", "List<Number>"} and isinstance(default, str):
        return default.split(",")
    return default


def _joined(argument: list[Any]) -> str | None:
    separator, parts = argument
    known = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    return str(separator).join(parts) if known else None


def _substituted(argument: Any, template: Mapping[str, Any], region: str) -> str | None:
    text, values = argument if isinstance(argument, list) else (argument, {})
    names = _VARIABLE.findall(text)
    known = {name: resolved(values.get(name, {"Ref": name}), template, region) for name in names}
    if any(not isinstance(value, str) for value in known.values()):
        return None
    return _VARIABLE.sub(lambda match: str(known[match.group(1)]), text)


def _found(argument: Any, template: Mapping[str, Any]) -> Any:
    try:
        name, first, second = argument
        return template["Mappings"][name][first][second]
    except (KeyError, TypeError, ValueError):
        return None
