"""Values in their one form that depend on the template's conditions: what they are in each case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import logic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NO_VALUE = "${AWS::NoValue}"
Tests = tuple[Any, ...]  # conditions that all hold


def is_if(value: Any) -> bool:
    """Whether that is an ``Fn::If``."""
    return isinstance(value, dict) and value.keys() == {"Fn::If"} and isinstance(value["Fn::If"], list)


def members(value: Any, tests: Tests = ()) -> Iterator[tuple[Tests, Any]]:
    """The value, or each member of a list of them, with the tests under which it is there."""
    if is_if(value):
        test, yes, no = value["Fn::If"]
        yield from members(yes, (*tests, test))
        yield from members(no, (*tests, logic.negated(test)))
    elif isinstance(value, list):
        for one in value:
            yield from members(one, tests)
    elif value is not None and value != NO_VALUE:
        yield tests, value


def each(value: Any, form: Callable[[Any], Any]) -> Any:
    """The value in a form of its own, or each that there may be."""
    if is_if(value):
        test, *both = value["Fn::If"]
        return {"Fn::If": [test, *(each(one, form) for one in both)]}
    return value if value == NO_VALUE else form(value)


def comparisons(value: Any) -> set[str]:
    """What the tests of every ``Fn::If`` in a value are made of."""
    if is_if(value):
        test, *both = value["Fn::If"]
        return logic.comparisons(test).union(*map(comparisons, both))
    if isinstance(value, dict):
        return set().union(*map(comparisons, value.values()))
    return set().union(*map(comparisons, value)) if isinstance(value, list) else set()


def resolved(value: Any, world: Mapping[str, bool]) -> Any:
    """The value where the comparisons come out like that."""
    if is_if(value):
        test, yes, no = value["Fn::If"]
        return resolved(yes if logic.holds(test, world) else no, world)
    if isinstance(value, dict):
        made = {name: resolved(member, world) for name, member in value.items()}
        return {name: member for name, member in made.items() if member != NO_VALUE}
    if not isinstance(value, list):
        return value
    found: list[Any] = []
    for one in value:
        member = resolved(one, world)
        found.extend(member if is_if(one) and isinstance(member, list) else [member])
    return [one for one in found if one != NO_VALUE]
