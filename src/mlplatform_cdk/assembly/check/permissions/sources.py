"""The Python modules of a function's code, from a folder, a zip file or the text inside a template."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """One parsed file.

    :param name: dotted, such as ``package.handler``.
    """

    name: str
    file: str
    tree: ast.Module

    def imports(self, node: ast.AST) -> Iterator[str]:
        """Dotted names that ``node`` and all below it import; a name from a module may be a module itself."""
        for one in ast.walk(node):
            if isinstance(one, ast.Import):
                yield from (alias.name for alias in one.names)
            elif isinstance(one, ast.ImportFrom):
                origin = self._origin(one)
                yield origin
                yield from (f"{origin}.{alias.name}".lstrip(".") for alias in one.names)

    @cached_property
    def hands_on(self) -> Mapping[str, str]:
        """What others can import from here that stands elsewhere: the name here, and where it stands."""
        return {
            alias.asname or alias.name: f"{self._origin(node)}.{alias.name}".lstrip(".")
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        if not self.file.endswith("__init__.py"):
            package = package[:-1]
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


class Sources:
    """Finds modules by their dotted names, and parses each once."""

    def __init__(self, texts: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
        self._texts, self._folder = texts or {}, folder
        self._parsed: dict[str, Module | None] = {}

    @classmethod
    def of(cls, asset: Path) -> Sources:
        """The code in a folder or a zip file."""
        if asset.is_dir():
            return cls(folder=asset)
        if not zipfile.is_zipfile(asset):
            return cls()
        with zipfile.ZipFile(asset) as archive:
            names = [name for name in archive.namelist() if name.endswith(".py")]
            return cls({name: archive.read(name).decode("utf-8", "replace") for name in names})

    def module(self, name: str) -> Module | None:
        """The module ``name``; None where the code has none, as for the standard library."""
        if name not in self._parsed:
            self._parsed[name] = self._parse(name)
        return self._parsed[name]

    def _parse(self, name: str) -> Module | None:
        base = name.replace(".", "/")
        for file in (f"{base}.py", f"{base}/__init__.py"):
            text = self._text(file) if name else None
            if text is not None:
                try:
                    return Module(name, file, ast.parse(text))
                except SyntaxError:
                    return None
        return None

    def _text(self, file: str) -> str | None:
        if self._folder is not None:
            path = self._folder / file
            return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        return self._texts.get(file)
