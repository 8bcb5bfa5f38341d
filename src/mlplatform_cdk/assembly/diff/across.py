"""Resources that go from one stack and come in another: two to CloudFormation, to their author one that moved.

CloudFormation moves nothing by itself: the first stack deletes or abandons it, the second makes a new one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.model import Action, Counterpart, ResourceChange, StackDiff
from mlplatform_cdk.assembly.diff.moves import NEARLY, VERSIONS, leaves_of, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HALF = 0.5  # of the properties, where the construct has the path that it had
_TELLING = 2  # values from which on equal properties say anything at all

Place = tuple[int, int]  # the stack, and the change in it


def across(stacks: Sequence[StackDiff]) -> list[StackDiff]:
    """The same stacks, in which what moved from one to another says so on both sides."""
    pairs = _pairs(stacks)
    others = {**pairs, **{new: old for old, new in pairs.items()}}
    return [
        replace(
            stack,
            changes=tuple(
                _told(change, stacks, others.get((number, index))) for index, change in enumerate(stack.changes)
            ),
        )
        for number, stack in enumerate(stacks)
    ]


def _told(change: ResourceChange, stacks: Sequence[StackDiff], other: Place | None) -> ResourceChange:
    if other is None:
        return change
    stack, counterpart = stacks[other[0]], stacks[other[0]].changes[other[1]]
    way = "to" if change.action is Action.REMOVED else "from"
    return replace(
        change,
        counterpart=Counterpart(stack=stack.key, resource=counterpart.resource, abandoned=stack.after is None),
        because=f"it moves {way} {stack.key}, {counterpart.resource.logical_id}",
    )


def _pairs(stacks: Sequence[StackDiff]) -> dict[Place, Place]:
    """What goes, to what comes in its place; each once, the likeliest first."""
    gone, new = (list(_of(stacks, action)) for action in (Action.REMOVED, Action.ADDED))
    kinds = {change.resource.logical_id: change.resource.type for _, change in (*gone, *new)}
    leaves = {place: leaves_of(change.resource, kinds) for place, change in (*gone, *new)}
    candidates = []
    for old, before in gone:
        for fresh, after in new:
            if before.resource.type != after.resource.type or not _could_move(stacks[old[0]], stacks[fresh[0]]):
                continue
            same = share(leaves[old], leaves[fresh])
            home = _tail(stacks[old[0]], before) == _tail(stacks[fresh[0]], after) != ""
            if (home and same >= _HALF) or (same >= NEARLY and len(leaves[fresh]) >= _TELLING):
                candidates.append((not home, -same, old, fresh))
    pairs: dict[Place, Place] = {}
    for _, _, old, fresh in sorted(candidates):
        if old not in pairs and fresh not in pairs.values():
            pairs[old] = fresh
    return pairs


def _of(stacks: Sequence[StackDiff], action: Action) -> Iterator[tuple[Place, ResourceChange]]:
    for number, stack in enumerate(stacks):
        for index, change in enumerate(stack.changes):
            if change.action is action and change.resource.type not in VERSIONS:
                yield (number, index), change


def _could_move(one: StackDiff, other: StackDiff) -> bool:
    """Whether both are of one account and region: nothing moves beyond."""
    here, there = one.source, other.source
    return one is not other and (here.account, here.region) == (there.account, there.region)


def _tail(stack: StackDiff, change: ResourceChange) -> str:
    """The construct's path inside its stack."""
    path = change.resource.path
    return path.removeprefix(f"{stack.key}/") if path.startswith(f"{stack.key}/") else ""
