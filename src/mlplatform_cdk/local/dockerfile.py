"""Does of a Dockerfile what needs no Docker: copies, variables, folders, entry points. Refuses what it cannot do."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_ESCAPED, _DOLLAR = "\\$", "\0"
_SETTING = re.compile(r"(\w+)=")


class DockerfileError(ValueError):
    """A Dockerfile that cannot be rehearsed."""


@dataclass(slots=True)
class Image:
    """A stage of a Dockerfile, as far as it has been read."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def interpret(
    dockerfile: Path, context: Path, folder: Path, arguments: Mapping[str, str], target: str | None = None
) -> Image:
    """The image that ``dockerfile`` describes.

    :param context: the folder that COPY copies from.
    :param folder: where to build; one folder per stage appears in it.
    :param arguments: values for ARG.
    :param target: the stage to stop at; default: the last one.
    """
    if not dockerfile.exists():
        raise DockerfileError(f"there is no Dockerfile {dockerfile}")
    reading = _Reading(dockerfile, context, folder, dict(arguments))
    for number, instruction, rest in _instructions(dockerfile.read_text(encoding="utf-8")):
        if instruction == "FROM" and reading.is_complete(target):
            break
        reading.apply(number, instruction, rest)
    return reading.result(target)


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start or number
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        instruction, _, rest = (pending + stripped).partition(" ")
        yield start, instruction.upper(), rest.strip()
        pending, start = "", 0


class _Reading:
    """One pass over a Dockerfile."""

    def __init__(self, dockerfile: Path, context: Path, folder: Path, arguments: dict[str, str]) -> None:
        self._dockerfile = dockerfile
        self._context = context.resolve()
        self._folder = folder
        self._given = arguments
        self._arguments: dict[str, str] = {}
        self._global: dict[str, str] = {}
        self._stages: dict[str, Image] = {}
        self._image: Image | None = None
        self._line = 0

    def apply(self, line: int, instruction: str, rest: str) -> None:
        self._line = line
        handlers: dict[str, Callable[[str], None]] = {
            "ARG": self._arg,
            "FROM": self._from,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "ENTRYPOINT": self._entrypoint,
            "CMD": self._command,
        }
        if instruction in handlers:
            handlers[instruction](rest)
        elif instruction not in {"RUN", "USER", "EXPOSE", "LABEL"}:
            raise self._error(
                f"{instruction} cannot be rehearsed without Docker; use COPY, ENV, WORKDIR and ENTRYPOINT"
            )

    def is_complete(self, target: str | None) -> bool:
        return target is not None and target in self._stages

    def result(self, target: str | None) -> Image:
        if target is not None and target not in self._stages:
            raise DockerfileError(f"{self._dockerfile} has no stage {target!r}")
        if self._image is None:
            raise DockerfileError(f"{self._dockerfile} has no FROM")
        return self._stages[target] if target is not None else self._image

    def _error(self, problem: str) -> DockerfileError:
        return DockerfileError(f"{self._dockerfile} line {self._line}: {problem}")

    def _current(self) -> Image:
        if self._image is None:
            raise self._error("an instruction stands before FROM")
        return self._image

    def _filled(self, text: str) -> str:
        known = self._arguments | (self._image.environment if self._image else {})

        def value(match: re.Match[str]) -> str:
            found = known.get(match.group(1) or match.group(2), "")
            if match.group(3) == "+":
                return match.group(4) if found else ""
            return found or (match.group(4) or "")

        return _VARIABLE.sub(value, text.replace(_ESCAPED, _DOLLAR)).replace(_DOLLAR, "$")

    def _arg(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, has_default, default = word.partition("=")
            fallback = self._filled(default) if has_default else self._global.get(name, "")
            self._arguments[name] = self._given.get(name, fallback)
            if self._image is None:
                self._global[name] = self._arguments[name]

    def _from(self, rest: str) -> None:
        self._image = None
        self._arguments = dict(self._global)
        words = [word for word in self._filled(rest).split() if not word.startswith("--")]
        base = words[0]
        root = self._folder / str(len(self._stages))
        if base in self._stages:
            inherited = self._stages[base]
            shutil.copytree(inherited.root, root, symlinks=True)
            self._image = replace(
                inherited,
                root=root,
                environment=dict(inherited.environment),
                notes=list(inherited.notes),
            )
        else:
            root.mkdir(parents=True)
            self._image = Image(root)
        self._arguments = {}
        has_name = len(words) == len(("image", "as", "name")) and words[1].upper() == "AS"
        self._stages[words[2] if has_name else str(len(self._stages))] = self._image

    def _env(self, rest: str) -> None:
        image = self._current()
        if not _SETTING.match(rest):
            name, _, value = rest.partition(" ")
            image.environment[name] = self._filled(value.strip())
            return
        for word in shlex.split(rest.replace(_ESCAPED, _DOLLAR)):
            name, _, value = word.partition("=")
            image.environment[name] = self._filled(value)

    def _workdir(self, rest: str) -> None:
        image = self._current()
        image.workdir = self._absolute(self._filled(rest))
        self._inside(image.workdir).mkdir(parents=True, exist_ok=True)

    def _entrypoint(self, rest: str) -> None:
        image = self._current()
        image.entrypoint, image.command = self._words(rest), []

    def _command(self, rest: str) -> None:
        self._current().command = self._words(rest)

    def _words(self, rest: str) -> list[str]:
        if rest.startswith("["):
            try:
                return [str(word) for word in json.loads(rest)]
            except json.JSONDecodeError:
                raise self._error(f"{rest} is no JSON list") from None
        return ["/bin/sh", "-c", rest]

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._current().workdir.rstrip('/')}/{path}"

    def _inside(self, path: str) -> Path:
        root = self._current().root
        inside = (root / path.lstrip("/")).resolve()
        if not inside.is_relative_to(root.resolve()):
            raise self._error(f"{path} leaves the image")
        return inside

    def _copy(self, rest: str) -> None:
        text = self._filled(rest)
        words = [str(w) for w in json.loads(text)] if text.startswith("[") else shlex.split(text)
        options = [word for word in words if word.startswith("--")]
        *sources, destination = [word for word in words if not word.startswith("--")]
        stage = next((option.partition("=")[2] for option in options if option.startswith("--from=")), None)
        if stage is not None and stage not in self._stages:
            self._current().notes.append(f"COPY --from={stage} was left out: only stages of the Dockerfile are here")
            return
        base = self._context if stage is None else self._stages[stage].root.resolve()
        into_folder = destination.endswith("/") or destination in {".", "./"} or len(sources) > 1
        target = self._inside(self._absolute(destination))
        for source in sources:
            self._copy_one(base, source, target, stage=stage, into_folder=into_folder)

    def _copy_one(self, base: Path, source: str, target: Path, *, stage: str | None, into_folder: bool) -> None:
        pattern = source.lstrip("/")
        found = [base] if pattern in {"", ".", "./"} else sorted(base.glob(pattern))
        if not found and stage is not None:
            self._current().notes.append(f"COPY --from={stage} {source} was left out: a RUN makes it, and none is run")
            return
        if not found:
            raise self._error(f"COPY finds no {source} in {base}")
        for path in found:
            if not path.resolve().is_relative_to(base):
                raise self._error(f"COPY {source} leaves the build context")
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
                continue
            destination = target / path.name if into_folder or target.is_dir() else target
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, destination)
