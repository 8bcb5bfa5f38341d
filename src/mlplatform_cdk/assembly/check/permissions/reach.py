"""What of a function's code can run: from the handler on, through whatever it names.

By names alone, so it errs on the side of too much: a function counts as soon as reached code says its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlplatform_cdk.assembly.check.permissions.sources import Module, Sources

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Part:
    """Code that runs as one: a function's body, or what a module does when it is imported."""

    module: Module
    nodes: list[ast.stmt | ast.expr]

    def walk(self) -> Iterator[ast.AST]:
        """Every node of it, without the functions that it defines."""
        waiting: list[ast.AST] = [*self.nodes]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, Definition))

    def names(self) -> set[str]:
        """What it names: variables, attributes, imported names."""
        found: set[str] = set()
        for node in self.walk():
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
        return found


@dataclass(slots=True)
class _Search:
    sources: Sources
    parts: list[Part] = field(default_factory=list)
    named: dict[str, set[str]] = field(default_factory=dict)
    imported: dict[str, set[str]] = field(default_factory=dict)
    waiting: dict[int, tuple[Module, Definition]] = field(default_factory=dict)

    def enter(self, name: str) -> None:
        """Import the module ``name`` and the packages around it."""
        pieces = name.split(".")
        for length in range(1, len(pieces) + 1):
            dotted = ".".join(pieces[:length])
            module = self.sources.module(dotted)
            if module and dotted not in self.named:
                self.named[dotted], self.imported[dotted] = set(), set()
                self._define(module, module.tree.body)
                self.add(Part(module, [one for one in module.tree.body if not isinstance(one, Definition)]))

    def _define(self, module: Module, body: list[ast.stmt]) -> None:
        for holder in body:
            for node in ast.walk(holder):
                if isinstance(node, Definition):
                    self.waiting[id(node)] = (module, node)

    def add(self, part: Part) -> None:
        self.parts.append(part)
        name = part.module.name
        self.named[name] |= part.names()
        for node in part.walk():
            if isinstance(node, ast.Import | ast.ImportFrom):
                for dotted in part.module.imports(node):
                    self.imported[name].add(dotted)
                    self.enter(dotted)
        self._follow(name)

    def _follow(self, name: str) -> None:
        """Where a package hands on what one of its modules has, whoever uses it there uses that module."""
        waiting = [*self.imported[name]]
        while waiting:
            dotted = waiting.pop()
            holder, _, last = dotted.rpartition(".")
            package, module = self.sources.module(holder), self.sources.module(dotted)
            used = self.named[name] & module.hands_on.keys() if module else ()
            origins = [module.hands_on[one] for one in used] if module else []
            if package and last in package.hands_on:
                origins.append(package.hands_on[last])
            new = {found for origin in origins for found in (origin, origin.rpartition(".")[0])} - self.imported[name]
            self.imported[name] |= new
            waiting.extend(new)

    def reached(self, module: Module, definition: Definition) -> bool:
        """Named where it stands, or in a module that imports its module; a special method always is."""
        name = definition.name
        if name.startswith("__") or name in self.named[module.name]:
            return True
        return any(
            name in names and (module.name in self.imported[other] or f"{module.name}.{name}" in self.imported[other])
            for other, names in self.named.items()
        )


def reachable(sources: Sources, handler: str) -> list[Part]:
    """The parts that a call of ``handler`` can run; none where there is no such handler.

    :param handler: such as ``package.module.function``.
    """
    module_name, _, function = handler.replace("/", ".").rpartition(".")
    search = _Search(sources)
    search.enter(module_name)
    if module_name not in search.named:
        return []
    search.named[module_name].add(function)
    grown = True
    while grown:
        grown = False
        for key, (module, definition) in list(search.waiting.items()):
            if search.reached(module, definition):
                del search.waiting[key]
                search.add(Part(module, [*definition.decorator_list, *_defaults(definition), *definition.body]))
                grown = True
    return search.parts


def _defaults(definition: Definition) -> list[ast.expr]:
    return [*definition.args.defaults, *(one for one in definition.args.kw_defaults if one is not None)]
