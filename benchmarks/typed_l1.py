"""Writes resources as one writes them with CDK's L1 classes in Python: typed, with snake_case and nested structs."""

import importlib
import inspect
import re
import typing
from functools import cache
from typing import Any

_STRINGS = {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::Select"}


def constructor(logical_id: str, resource: Any) -> str | None:
    """The call that makes ``resource`` with its own L1 class, or nothing where a property has no typed form."""
    if not resource["Type"].startswith("AWS::"):
        return None
    _, service, name = resource["Type"].split("::")
    module = f"aws_{service.lower()}"
    cls = getattr(importlib.import_module(f"aws_cdk.{module}"), f"Cfn{name}")
    try:
        arguments = _arguments(cls, resource.get("Properties", {}))
    except _Untyped:
        return None
    return f"{module}.Cfn{name}(stack, {logical_id!r}{arguments})"


class _Untyped(Exception):
    """A value that only an override can bring into a typed property."""


def _arguments(cls: Any, values: Any) -> str:
    names = {name.replace("_", ""): name for name in inspect.signature(cls.__init__).parameters}
    hints = _hints(cls)
    written = []
    for key, value in values.items():
        name = names.get(key.lower()) or names.get(key.lower() + "value")
        if name is None:
            raise _Untyped
        written.append(f", {name}={_value(value, hints[name])}")
    return "".join(written)


@cache
def _hints(cls: Any) -> Any:
    return typing.get_type_hints(cls.__init__)


def _value(value: Any, hint: Any) -> str:
    if hint is Any:
        return _free(value)
    kinds = _flat(hint)
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _STRINGS:
        if str not in kinds and Any not in kinds:
            raise _Untyped
        return _intrinsic(value)
    if isinstance(value, list):
        (inner,) = [one for one in kinds if typing.get_origin(one) in {list, typing.Sequence, _SEQUENCE}] or [None]
        if inner is None:
            return _free(value) if Any in kinds else _raise()
        return "[" + ", ".join(_value(one, typing.get_args(inner)[0]) for one in value) + "]"
    if isinstance(value, dict):
        return _struct(value, kinds)
    return repr(value)


_SEQUENCE = typing.get_origin(typing.Sequence[str])
_MAPPING = typing.get_origin(typing.Mapping[str, str])


def _struct(value: dict[str, Any], kinds: list[Any]) -> str:
    for one in kinds:
        if inspect.isclass(one) and one.__name__.endswith("Property"):
            owner = one.__module__.rpartition(".")[2]
            return f"{owner}.{one.__qualname__}({_arguments(one, value).removeprefix(', ')})"
        if typing.get_origin(one) is _MAPPING and Any not in typing.get_args(one):
            inner = typing.get_args(one)[1]
            return "{" + ", ".join(f"{key!r}: {_value(held, inner)}" for key, held in value.items()) + "}"
    return _free(value) if Any in kinds else _raise()


def _free(value: Any) -> str:
    """A value of any form, such as a policy: plain Python, whose references are tokens as in every other property."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_free, value)) + "]"
    if not isinstance(value, dict):
        return repr(value)
    try:
        return _intrinsic(value)
    except _Untyped:
        return "{" + ", ".join(f"{key!r}: {_free(held)}" for key, held in value.items()) + "}"


def _raise() -> str:
    raise _Untyped


def _flat(hint: Any) -> list[Any]:
    """The members of a union, however nested."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is not typing.Union:
        return [hint]
    return [one for argument in arguments for one in _flat(argument)]


def _intrinsic(value: Any) -> str:
    match value:
        case {"Ref": name}:
            return f"ref({name!r})"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"att({name!r}, {attribute!r})"
        case {"Fn::Join": [delimiter, list(parts)]}:
            return f"join({delimiter!r}, {', '.join(map(_part, parts))})"
        case {"Fn::Sub": str(text)}:
            return f"sub({text!r})"
        case {"Fn::Select": [index, source]}:
            return f"select({int(index)}, {_choices(source)})"
    return _raise()


def _choices(value: Any) -> str:
    match value:
        case {"Fn::GetAZs": str(region)}:
            return f"zones({region!r})"
        case {"Fn::Split": [delimiter, source]}:
            return f"split({delimiter!r}, {_part(source)})"
    return _raise()


def _part(value: Any) -> str:
    return repr(value) if isinstance(value, str) else _intrinsic(value)


def modules(text: str) -> list[str]:
    """The service modules that ``text`` uses."""
    return sorted(set(re.findall(r"\baws_[a-z0-9_]+(?=\.)", text)))
