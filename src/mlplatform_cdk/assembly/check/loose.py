"""Reads documents that may hold anything anywhere: what has not the expected shape is as good as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """A list, where a document may hold one value in place of a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or the one object that stands in its place."""
    return [one for one in listed(value) if isinstance(one, Mapping)]


def texts(value: Any) -> list[str]:
    """The texts of a list, or the one text that stands in its place."""
    return [one for one in listed(value) if isinstance(one, str)]
