"""What a template's conditions say of each other: whether one holds wherever another does."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

World = dict[str, bool]  # the text of each comparison, to whether it holds
MOST = 6  # comparisons of which every combination is looked at; of more, one after the other
_OPPOSITE = {"Fn::And": "Fn::Or", "Fn::Or": "Fn::And"}


def negated(test: Any) -> Any:
    """The opposite, with every negation at a comparison."""
    if isinstance(test, bool):
        return not test
    function, inner = _connective(test)
    if function == "Fn::Not":
        return inner[0]
    if function:
        return connected(_OPPOSITE[function], [negated(one) for one in inner])
    return {"Fn::Not": [test]}


def connected(function: str, tests: Iterable[Any]) -> Any:
    """Tests joined by ``Fn::And`` or ``Fn::Or``, in an order of their own and each once."""
    absorbing = function == "Fn::Or"
    every: list[Any] = []
    for test in tests:
        name, inner = _connective(test)
        every.extend(inner if name == function else [test])
    if any(test is absorbing for test in every):
        return absorbing
    left = {text(test): test for test in every if not isinstance(test, bool)}
    if len(left) < 2:  # noqa: PLR2004 -- nothing to connect
        return next(iter(left.values()), not absorbing)
    return {function: [left[name] for name in sorted(left)]}


def comparisons(test: Any) -> set[str]:
    """The texts of what a test is made of."""
    if isinstance(test, bool):
        return set()
    function, inner = _connective(test)
    return set().union(*map(comparisons, inner)) if function else {text(test)}


def holds(test: Any, world: Mapping[str, bool]) -> bool:
    """Whether the test holds in a world that knows all its comparisons."""
    if isinstance(test, bool):
        return test
    function, inner = _connective(test)
    if not function:
        return world[text(test)]
    found = [holds(one, world) for one in inner]
    return not found[0] if function == "Fn::Not" else all(found) if function == "Fn::And" else any(found)


def worlds(names: Iterable[str]) -> Iterator[World]:
    """Every combination of these comparisons that there can be; of many, those that differ in one from a plain one."""
    every = sorted(names)
    if len(every) <= MOST:
        return _all(every)
    plain = [dict.fromkeys(every, value) for value in (True, False)]
    tried = plain + [{**one, name: not one[name]} for one in plain for name in every]
    return filter(_possible, tried)


@cache
def implies(one: str, other: str) -> bool:
    """Whether the test ``other`` holds wherever ``one`` does, both as texts; empty: always."""
    if other in {"", one}:
        return True
    first, second = (json.loads(side) if side else True for side in (one, other))
    every = sorted(comparisons(first) | comparisons(second))
    return len(every) <= 2 * MOST and all(holds(second, world) for world in _all(every) if holds(first, world))


def _all(names: Sequence[str]) -> Iterator[World]:
    for row in itertools.product((True, False), repeat=len(names)):
        world = dict(zip(names, row, strict=True))
        if _possible(world):
            yield world


def _possible(world: World) -> bool:
    """Not where one value equals two texts."""
    seen: dict[str, str] = {}
    for name, truth in world.items():
        test = json.loads(name)
        sides = test.get("Fn::Equals") if isinstance(test, dict) and truth else None
        literal = [one for one in sides or () if isinstance(one, str) and "${" not in one]
        if sides and len(literal) == 1:
            value = text([one for one in sides if one is not literal[0]])
            if seen.setdefault(value, literal[0]) != literal[0]:
                return False
    return True


def _connective(test: Any) -> tuple[str, Sequence[Any]]:
    """Its function and what that joins; none where the test is a comparison."""
    if isinstance(test, dict) and len(test) == 1:
        ((function, inner),) = test.items()
        if function in {"Fn::And", "Fn::Or", "Fn::Not"}:
            return function, inner if isinstance(inner, list) else [inner]
    return "", ()


def text(value: Any) -> str:
    """The test as text that sorts and compares."""
    return json.dumps(value, sort_keys=True)
