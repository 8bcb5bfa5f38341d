"""Conditions in one form: inlined where they are used, the order of arguments that commute forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FUNCTIONS = {"Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"}


def condition(expression: Any, definitions: Mapping[str, Any], value_of: Callable[[Any], Any], depth: int = 0) -> Any:
    """The condition as ``True`` or ``False`` where that is certain, else as an expression in one form.

    :param value_of: gives the one form of the values that are compared.
    """
    if isinstance(expression, str):
        if depth > len(definitions) or expression not in definitions:
            return {"Condition": expression}
        return condition(definitions[expression], definitions, value_of, depth + 1)
    if not isinstance(expression, dict) or not expression.keys() <= _FUNCTIONS or len(expression) != 1:
        return value_of(expression)
    ((function, arguments),) = expression.items()
    if function == "Condition":
        return condition(arguments, definitions, value_of, depth)
    if function == "Fn::Equals":
        return _equal(*sorted((value_of(argument) for argument in arguments), key=_text))
    return _connected(function, [condition(argument, definitions, value_of, depth) for argument in arguments])


def _connected(function: str, inner: list[Any]) -> Any:
    if function == "Fn::Not":
        return _negated(inner[0])
    return _all(inner, function, absorbing=function == "Fn::Or")


def _negated(inner: Any) -> Any:
    if isinstance(inner, bool):
        return not inner
    if isinstance(inner, dict) and "Fn::Not" in inner:
        return inner["Fn::Not"]
    return {"Fn::Not": inner}


def _all(inner: list[Any], function: str, *, absorbing: bool) -> Any:
    if absorbing in [argument for argument in inner if isinstance(argument, bool)]:
        return absorbing
    left = {_text(argument): argument for argument in inner if not isinstance(argument, bool)}
    if not left:
        return not absorbing
    if len(left) == 1:
        return next(iter(left.values()))
    return {function: [left[text] for text in sorted(left)]}


def _equal(one: Any, other: Any) -> Any:
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str) and "${" not in one + other:
        return False
    return {"Fn::Equals": [one, other]}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
