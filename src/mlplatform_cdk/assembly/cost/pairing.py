"""Two estimates under one set of names: the rule of ``mlplatform diff --pair``, for what a change does to the cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlplatform_cdk.assembly.cost.estimate import Estimate
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
    return _under(left, pairs), right


def _refuse_strangers(side: str, estimate: Estimate, names: Iterable[str]) -> None:
    stacks = tuple(dict.fromkeys(place.stack for place in estimate.places))
    for name in names:
        if not any(_within(stack, (name,)) for stack in stacks):
            raise AssemblyError(f"{side} has no stage or stack {name!r}; it has: {', '.join(stacks)}")


def _kept(estimate: Estimate, chosen: Callable[[str], bool]) -> Estimate:
    return replace(
        estimate,
        lines=tuple(line for line in estimate.lines if chosen(line.place.stack)),
        gaps=tuple(gap for gap in estimate.gaps if chosen(gap.place.stack)),
    )


def _under(estimate: Estimate, pairs: Mapping[str, str]) -> Estimate:
    return replace(
        estimate,
        lines=tuple(replace(line, place=_renamed(line.place, pairs)) for line in estimate.lines),
        gaps=tuple(replace(gap, place=_renamed(gap.place, pairs)) for gap in estimate.gaps),
    )


def _renamed(place: Place, pairs: Mapping[str, str]) -> Place:
    return replace(place, stack=_counterpart(place.stack, pairs), path=_counterpart(place.path, pairs))


def _counterpart(path: str, pairs: Mapping[str, str]) -> str:
    """What ``path`` is called in head; the first pair that holds it decides."""
    return next((there + path[len(here) :] for here, there in pairs.items() if _within(path, (here,))), path)


def _within(path: str, names: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{name}/") for name in names)
