"""Two estimates under one set of names: the rule of ``mlplatform diff``, for what a change does to the cost.

Stacks of one account, region and name belong together, wherever they are in the app; else those of one path.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlplatform_cdk.assembly.cost.estimate import Estimate, Identity
    from mlplatform_cdk.assembly.cost.lines import Place


def paired(base: Estimate, head: Estimate, pairs: Mapping[str, str]) -> tuple[Estimate, Estimate]:
    """Both sides with the names of head; what a pair takes the place of, on either side, is left out.

    :param pairs: stages or stacks of base to those of head.
    :raises AssemblyError: when base has no stage or stack of one of the names, or head none of another.
    """
    _refuse_strangers("base", base, pairs)
    _refuse_strangers("head", head, pairs.values())
    sources, targets = tuple(pairs), tuple(pairs.values())
    left = _kept(base, lambda stack: _within(stack, sources) or not _within(stack, targets))
    right = _kept(head, lambda stack: _within(stack, targets) or not _within(stack, sources))
    alone = {stack: known for stack, known in base.identities.items() if not _within(stack, (*sources, *targets))}
    return _under(_under(left, _moved(alone, head.identities)), pairs), right


def _refuse_strangers(side: str, estimate: Estimate, names: Iterable[str]) -> None:
    stacks = tuple(dict.fromkeys(place.stack for place in estimate.places))
    for name in names:
        if not any(_within(stack, (name,)) for stack in stacks):
            raise AssemblyError(f"{side} has no stage or stack {name!r}; it has: {', '.join(stacks)}")


def _moved(old: Mapping[str, Identity], new: Mapping[str, Identity]) -> dict[str, str]:
    """Base's stacks to head's of one identity, the longest name first; whose place is taken has its name behind it."""
    after = {identity: stack for stack, identity in _unique(new).items()}
    names = {stack: after[identity] for stack, identity in _unique(old).items() if identity in after}
    taken = set(names.values())
    for stack, (_, _, name) in old.items():
        names.setdefault(stack, f"{stack} ({name})" if stack in taken else stack)
    return dict(sorted(names.items(), key=lambda pair: -len(pair[0])))


def _unique(stacks: Mapping[str, Identity]) -> dict[str, Identity]:
    counted = Counter(stacks.values())
    return {stack: identity for stack, identity in stacks.items() if counted[identity] == 1}


def _kept(estimate: Estimate, chosen: Callable[[str], bool]) -> Estimate:
    return replace(
        estimate,
        lines=tuple(line for line in estimate.lines if chosen(line.place.stack)),
        gaps=tuple(gap for gap in estimate.gaps if chosen(gap.place.stack)),
    )


def _under(estimate: Estimate, names: Mapping[str, str]) -> Estimate:
    return replace(
        estimate,
        lines=tuple(replace(line, place=_renamed(line.place, names)) for line in estimate.lines),
        gaps=tuple(replace(gap, place=_renamed(gap.place, names)) for gap in estimate.gaps),
    )


def _renamed(place: Place, names: Mapping[str, str]) -> Place:
    """The place as head calls it; the first name that holds it decides."""
    here = next((name for name in names if _within(place.stack, (name,))), None)
    if here is None:
        return place
    there = names[here]
    before, after = _bare(here), _bare(there)
    path = after + place.path[len(before) :] if _within(place.path, (before,)) else place.path
    return replace(place, stack=there + place.stack[len(here) :], path=path)


def _bare(stack: str) -> str:
    """The path in the app, without the account and region behind it that tell stacks of one path apart."""
    return stack.partition(" @ ")[0]


def _within(path: str, names: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{name}/") for name in names)
