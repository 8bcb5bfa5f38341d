"""Two estimates under one set of names, for what a change does to the cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.pairing import pairing, top_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplatform_cdk.assembly.cost.estimate import Estimate
    from mlplatform_cdk.assembly.cost.lines import Place
    from mlplatform_cdk.assembly.pairing import Identity


def paired(base: Estimate, head: Estimate, pairs: Mapping[str, str]) -> tuple[Estimate, Estimate]:
    """Both sides with the names of head; what a pair takes the place of, on either side, is left out.

    :param pairs: stages or stacks of base to those of head.
    :raises AssemblyError: when base has no stage or stack of one of the names, or head none of another.
    """
    old = base.stacks
    belongs = pairing(old, head.stacks, pairs)
    left = _changed(base, lambda place: _renamed(place, old, belongs.names) if place.stack in belongs.names else None)
    right = _changed(head, lambda place: place if place.stack in belongs.head else None)
    return left, right


def _changed(estimate: Estimate, name: Callable[[Place], Place | None]) -> Estimate:
    """The lines and gaps under new names; those without one are left out."""
    return replace(
        estimate,
        lines=tuple(replace(line, place=place) for line in estimate.lines if (place := name(line.place))),
        gaps=tuple(replace(gap, place=place) for gap in estimate.gaps if (place := name(gap.place))),
    )


def _renamed(place: Place, stacks: Mapping[str, Identity | None], names: Mapping[str, str]) -> Place:
    """The place as head calls it; constructs stand under the path of the stack that nothing holds."""
    top = top_of(place.stack, stacks)
    before, after = _bare(top), _bare(names[top])
    within = f"{place.path}/".startswith(f"{before}/")
    return replace(place, stack=names[place.stack], path=after + place.path[len(before) :] if within else place.path)


def _bare(stack: str) -> str:
    """The path in the app, without the account and region behind it that tell stacks of one path apart."""
    return stack.partition(" @ ")[0]
