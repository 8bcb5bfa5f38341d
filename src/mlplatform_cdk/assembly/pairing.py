"""Which stack of one assembly is which of another: one rule for ``mlplatform diff`` and ``mlplatform cost``.

Stacks that a pair names; else those of one account, region and name, wherever they are in the app; else of one path.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Identity = tuple[str | None, str | None, str]
"""What CloudFormation knows a stack by: account, region and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The stacks of both sides that are compared, under one set of names.

    :param names: base's stacks to what head calls them; those whose place a pair takes are left out.
    :param head: head's stacks, without those of a stage that is compared with another.
    :param paired: base's stacks that a pair names, so that another name says nothing.
    """

    names: Mapping[str, str]
    head: frozenset[str]
    paired: frozenset[str]


def pairing(
    base: Mapping[str, Identity | None], head: Mapping[str, Identity | None], pairs: Mapping[str, str]
) -> Pairing:
    """The pairing of two sides, each its stacks by path with what CloudFormation knows them by.

    :param base: None stands for a nested stack, which goes with the one whose path its own begins with.
    :param pairs: stages or stacks of base to those of head.
    :raises AssemblyError: when base has no stage or stack of one of the names, or head none of another.
    """
    sources, targets = tuple(pairs), tuple(pairs.values())
    _refuse_strangers("base", base, sources)
    _refuse_strangers("head", head, targets)
    named = {key: _counterpart(key, pairs) for key in base if _within(key, sources)}
    alone = {key: known for key, known in base.items() if not _within(key, (*sources, *targets))}
    after = {key: known for key, known in head.items() if not _within(key, (*sources, *targets))}
    return Pairing(
        names={**named, **_by_identity(alone, after)},
        head=frozenset(key for key in head if _within(key, targets) or not _within(key, sources)),
        paired=frozenset(named),
    )


def top_of(key: str, stacks: Mapping[str, Identity | None]) -> str:
    """The stack that ``key`` is nested in, or itself."""
    holders = [one for one, known in stacks.items() if known is not None and _within(key, (one,))]
    return max(holders, key=len, default=key)


def _by_identity(old: Mapping[str, Identity | None], new: Mapping[str, Identity | None]) -> dict[str, str]:
    """Base's stacks to head's of one identity, else to their own path; whose path is taken has its name behind it."""
    after = {identity: key for key, identity in _unique(new).items()}
    names = {key: after[identity] for key, identity in _unique(old).items() if identity in after}
    taken = set(names.values())
    for key, known in old.items():
        if known is not None:
            names.setdefault(key, f"{key} ({known[2]})" if key in taken else key)
    return {key: names.get(top, top) + key[len(top) :] for key in old for top in [top_of(key, old)]}


def _unique(stacks: Mapping[str, Identity | None]) -> dict[str, Identity]:
    counted = Counter(stacks.values())
    return {key: known for key, known in stacks.items() if known is not None and counted[known] == 1}


def _refuse_strangers(side: str, stacks: Iterable[str], names: Iterable[str]) -> None:
    every = tuple(stacks)
    for name in names:
        if not any(_within(key, (name,)) for key in every):
            raise AssemblyError(f"{side} has no stage or stack {name!r}; it has: {', '.join(every)}")


def _counterpart(key: str, pairs: Mapping[str, str]) -> str:
    return next(there + key[len(here) :] for here, there in pairs.items() if _within(key, (here,)))


def _within(key: str, names: Iterable[str]) -> bool:
    return any(f"{key}/".startswith(f"{name}/") for name in names)
