"""Two assemblies: how each pair of stacks differs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.across import across
from mlplatform_cdk.assembly.diff.model import AssemblyDiff
from mlplatform_cdk.assembly.diff.sources import Source, sources
from mlplatform_cdk.assembly.diff.stacks import compare_stacks
from mlplatform_cdk.assembly.pairing import pairing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.pairing import Identity, Pairing
    from mlplatform_cdk.assembly.reader import Assembly


def compare(
    base: Assembly,
    head: Assembly,
    *,
    names: tuple[str, str] | None = None,
    pairs: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
) -> AssemblyDiff:
    """How ``head`` differs from ``base``.

    :param names: what the two are called; default: their folders.
    :param pairs: stages or stacks of base to those of head that are to be compared although their names differ, such
        as ``{"MlPlatform-Dev": "MlPlatform-Prod"}``; default: equal names belong together.
    :param words: words of base that are to be read as words of head, such as ``{"dev": "prod"}``; default: none.
    """
    new = sources(head)
    old = {key: _read_as(source, words or {}) for key, source in sources(base).items()}
    belongs = pairing(_identities(old), _identities(new), pairs or {})
    new = {key: source for key, source in new.items() if key in belongs.head}
    old = {name: _renamed(old[key], name, belongs) for key, name in belongs.names.items()}
    keys = [*new, *(key for key in old if key not in new)]
    every = across([compare_stacks(old.get(key), new.get(key)) for key in keys])
    called = names or (str(base.directory), str(head.directory))
    return AssemblyDiff(
        base=called[0],
        head=called[1],
        stacks=tuple(stack for stack in every if not stack.is_empty),
        compared=len(keys),
    )


def _identities(every: Mapping[str, Source]) -> dict[str, Identity | None]:
    return {key: source.identity if source.parent is None else None for key, source in every.items()}


def _renamed(source: Source, name: str, belongs: Pairing) -> Source:
    """The stack under the name that head has for it."""
    parent = source.parent and name.rpartition("/")[0]
    return replace(source, key=name, parent=parent, foreign=source.key in belongs.paired)


def _read_as(source: Source, words: Mapping[str, str]) -> Source:
    """The stack with whole words of its template's texts replaced; logical ids stay."""
    if not words:
        return source
    expression = re.compile(r"(?<![A-Za-z0-9])(" + "|".join(map(re.escape, words)) + r")(?![A-Za-z0-9])")
    text = expression.sub(lambda match: words[match[1]], json.dumps([source.template, source.passed]))
    template, passed = json.loads(text)
    return replace(source, template=template, passed=passed)
