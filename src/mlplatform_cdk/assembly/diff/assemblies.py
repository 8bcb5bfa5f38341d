"""Two assemblies: which stacks belong together, and how each pair differs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.model import AssemblyDiff
from mlplatform_cdk.assembly.diff.sources import Source, sources
from mlplatform_cdk.assembly.diff.stacks import compare_stacks
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    old = _paired({key: _read_as(source, words or {}) for key, source in sources(base).items()}, pairs or {})
    new = sources(head)
    keys = [*new, *(key for key in old if key not in new)]
    every = [compare_stacks(old.get(key), new.get(key)) for key in keys]
    called = names or (str(base.directory), str(head.directory))
    return AssemblyDiff(
        base=called[0],
        head=called[1],
        stacks=tuple(stack for stack in every if not stack.is_empty),
        compared=len(keys),
    )


def _paired(every: Mapping[str, Source], pairs: Mapping[str, str]) -> dict[str, Source]:
    """The stacks under the keys of those that they are to be compared with."""
    for name in pairs:
        if not any(f"{key}/".startswith(f"{name}/") for key in every):
            raise AssemblyError(f"base has no stage or stack {name!r}; it has: {', '.join(every)}")
    found = {}
    for key, source in every.items():
        names = [(here, there) for here, there in pairs.items() if f"{key}/".startswith(f"{here}/")]
        new = names[0][1] + key[len(names[0][0]) :] if names else key
        found[new] = replace(source, key=new, foreign=bool(names))
    return found


def _read_as(source: Source, words: Mapping[str, str]) -> Source:
    """The stack with whole words of its template's texts replaced; logical ids stay."""
    if not words:
        return source
    expression = re.compile(r"(?<![A-Za-z0-9])(" + "|".join(map(re.escape, words)) + r")(?![A-Za-z0-9])")
    text = expression.sub(lambda match: words[match[1]], json.dumps(source.template))
    return replace(source, template=json.loads(text))
