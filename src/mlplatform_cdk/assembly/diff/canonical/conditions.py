"""Conditions in one form: inlined where they are used, the order of arguments that commute forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import logic

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
        return _equal(*sorted((value_of(argument) for argument in arguments), key=logic.text))
    return _connected(function, [condition(argument, definitions, value_of, depth) for argument in arguments])


def _connected(function: str, inner: list[Any]) -> Any:
    return logic.negated(inner[0]) if function == "Fn::Not" else logic.connected(function, inner)


def _equal(one: Any, other: Any) -> Any:
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str) and "${" not in one + other:
        return False
    return {"Fn::Equals": [one, other]}
