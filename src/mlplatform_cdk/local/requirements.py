"""Whether the packages of an image are those of the interpreter that stands for it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def differences(requirements: Path) -> tuple[str, ...]:
    """A sentence for each pin in ``requirements`` that is installed otherwise, or not at all.

    A file that does not exist pins nothing.
    """
    if not requirements.exists():
        return ()
    return tuple(_differing(requirements))


def _differing(requirements: Path) -> Iterator[str]:
    text = requirements.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        pin = line.split(" #")[0].split("--hash")[0].strip()
        if not pin or pin.startswith(("#", "-")):
            continue
        try:
            requirement = Requirement(pin)
        except InvalidRequirement:
            yield f"{requirements.name}: {pin!r} cannot be read, so it was not compared"
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield f"the image has {pin.split(';')[0].strip()}, which is not installed here"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"the image has {requirement.name}{requirement.specifier}, here runs {installed}"
