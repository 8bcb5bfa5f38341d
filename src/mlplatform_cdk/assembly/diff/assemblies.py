"""Two assemblies: which stacks belong together, and how each pair differs."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.across import across
from mlplatform_cdk.assembly.diff.model import AssemblyDiff
from mlplatform_cdk.assembly.diff.sources import Source, sources
from mlplatform_cdk.assembly.diff.stacks import compare_stacks
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    given = pairs or {}
    old = _paired({key: _read_as(source, words or {}) for key, source in sources(base).items()}, given)
    new = {key: one for key, one in sources(head).items() if not _left_out(key, given)}
    old = _by_identity(old, new)
    keys = [*new, *(key for key in old if key not in new)]
    every = across([compare_stacks(old.get(key), new.get(key)) for key in keys])
    called = names or (str(base.directory), str(head.directory))
    return AssemblyDiff(
        base=called[0],
        head=called[1],
        stacks=tuple(stack for stack in every if not stack.is_empty),
        compared=len(keys),
    )


def refuse_strangers(pairs: Mapping[str, str], every: Iterable[str]) -> None:
    """Refuse a pair whose first name is no stage and no stack of base.

    :param every: the stacks of base by their paths.
    :raises AssemblyError: with the names that there are.
    """
    known = list(every)
    for name in pairs:
        if not any(_within(key, name) for key in known):
            raise AssemblyError(f"base has no stage or stack {name!r}; it has: {', '.join(known)}")


def counterpart(key: str, pairs: Mapping[str, str]) -> str:
    """The stack of head that ``key`` of base is compared with, by the pairs; the same where none names it."""
    return next((there + key[len(here) :] for here, there in pairs.items() if _within(key, here)), key)


def _paired(every: Mapping[str, Source], pairs: Mapping[str, str]) -> dict[str, Source]:
    """The stacks under the keys of those that they are to be compared with."""
    refuse_strangers(pairs, every)
    found = {}
    for key, source in every.items():
        if any(_within(key, here) for here in pairs):
            new = counterpart(key, pairs)
            found[new] = replace(source, key=new, foreign=True)
        elif not any(_within(key, there) for there in pairs.values()):  # its place is taken by a pair
            found[key] = source
    return found


def _left_out(key: str, pairs: Mapping[str, str]) -> bool:
    """Whether head has the stack beside the one that it is compared with, where base and head hold several stages."""
    return any(_within(key, here) for here in pairs) and not any(_within(key, there) for there in pairs.values())


def _within(key: str, name: str) -> bool:
    return f"{key}/".startswith(f"{name}/")


def _by_identity(old: Mapping[str, Source], new: Mapping[str, Source]) -> dict[str, Source]:
    """Base's stacks under the keys of head's: one account, region and name is one stack, wherever it is in the app."""
    before, after = _identities(old), _identities(new)
    keys = {here: after[identity] for identity, here in before.items() if identity in after}
    taken = set(keys.values())
    for key, source in old.items():
        if source.parent is None:
            keys.setdefault(key, f"{key} ({source.name})" if key in taken else key)
    return {moved.key: moved for key, source in old.items() for moved in [_at(source, key, keys)]}


def _identities(every: Mapping[str, Source]) -> dict[tuple[str | None, str | None, str], str]:
    """The stacks that have an identity of their own, which a stack under another name on purpose has not."""
    named = [(one.identity, key) for key, one in every.items() if one.parent is None and not one.foreign]
    counted = Counter(identity for identity, _ in named)
    return {identity: key for identity, key in named if counted[identity] == 1}


def _at(source: Source, key: str, keys: Mapping[str, str]) -> Source:
    """The stack under its new key; what is nested in it goes with it."""
    top = key if source.parent is None else next(one for one in keys if _within(key, one))
    moved = keys[top] + key[len(top) :]
    return source if moved == key else replace(source, key=moved, parent=source.parent and moved.rpartition("/")[0])


def _read_as(source: Source, words: Mapping[str, str]) -> Source:
    """The stack with whole words of its template's texts replaced; logical ids stay."""
    if not words:
        return source
    expression = re.compile(r"(?<![A-Za-z0-9])(" + "|".join(map(re.escape, words)) + r")(?![A-Za-z0-9])")
    text = expression.sub(lambda match: words[match[1]], json.dumps(source.template))
    return replace(source, template=json.loads(text))
