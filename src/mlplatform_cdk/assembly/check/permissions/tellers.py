"""Functions that call the operation whose name they are given: who calls them says which one it is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mlplatform_cdk.assembly.check.permissions.reach import Definition


@dataclass(frozen=True, slots=True)
class Teller:
    """A function that calls, by ``getattr``, the operation whose name its parameter holds.

    :param service: botocore's name.
    :param index: the parameter's place among the arguments of a call; None where only its keyword names it.
    """

    service: str
    parameter: str
    index: int | None

    def told(self, node: ast.Call) -> ast.expr | None:
        """What a call of the function gives as the name."""
        by_place = [] if self.index is None else node.args[self.index : self.index + 1]
        by_keyword = [one.value for one in node.keywords if one.arg == self.parameter]
        return next(iter([*by_keyword, *by_place]), None)


def tellers(function: Definition, services: Callable[[ast.expr], Iterable[str]]) -> Iterator[Teller]:
    """What ``function`` is, for each client and parameter that it gives to ``getattr``.

    :param services: the services whose client an expression of the function may be.
    """
    placed = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    names = placed[placed[:1] in (["self"], ["cls"]) :]  # a method's call does not give its object
    keywords = [one.arg for one in function.args.kwonlyargs]
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[client, ast.Name(id=name), *_]) if (
                name in names or name in keywords
            ):
                index = names.index(name) if name in names else None
                yield from (Teller(service, name, index) for service in services(client))
