"""What a change of the app does to its cost: the lines of two estimates, paired by construct."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Kind
from mlplatform_cdk.assembly.cost.pairing import paired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.cost.estimate import Estimate
    from mlplatform_cdk.assembly.cost.lines import Line

    Key = tuple[str, str, str, str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line that came, went or costs something else.

    :param before: None when it is new.
    :param after: None when it is gone.
    """

    before: Line | None
    after: Line | None

    @property
    def line(self) -> Line:
        """The line as it is, or as it was."""
        line = self.after or self.before
        assert line is not None
        return line

    @property
    def difference(self) -> Decimal | None:
        """Dollars a month more, with the options that are set; None when either side is unknown."""
        amounts = [line.discounted for line in (self.before, self.after) if line is not None]
        if any(not amount.complete for amount in amounts):
            return None
        after = self.after.discounted.known if self.after is not None else Decimal(0)
        before = self.before.discounted.known if self.before is not None else Decimal(0)
        return after - before


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The change from one estimate to another.

    :param changes: the dearest change first; changes that nobody can price come before all.
    :param unknown_added: names that the other estimate did not lack.
    :param unknown_gone: names that this estimate lacks no more.
    """

    base: Estimate
    head: Estimate
    changes: tuple[Change, ...]
    unknown_added: tuple[str, ...]
    unknown_gone: tuple[str, ...]

    def difference(self, kind: Kind) -> Decimal:
        """Dollars a month more of ``kind``, over what is known on both sides."""
        return sum(
            (change.difference or Decimal(0) for change in self.changes if change.line.kind is kind), start=Decimal(0)
        )

    @property
    def strangers(self) -> bool:
        """True when the two have no stack in common, so that the difference is one of two wholes."""
        before, after = ({place.stack for place in side.places} for side in (self.base, self.head))
        return bool(before and after) and not before & after

    def open(self, kind: Kind) -> bool:
        """True when a change of ``kind`` has no price, so that the difference is not all."""
        return any(change.difference is None for change in self.changes if change.line.kind is kind)


def delta(base: Estimate, head: Estimate, pairs: Mapping[str, str] | None = None) -> Delta:
    """What changed from ``base`` to ``head``.

    :param pairs: stages or stacks of base to those of head that are to be compared although their names differ, such
        as ``{"MlPlatform-Dev": "MlPlatform-Prod"}``; default: none, stacks of one account, region and name belong
        together, else those of one path.
    """
    base, head = paired(base, head, pairs or {})
    before, after = _keyed(base), _keyed(head)
    changes = [Change(before=before.get(key), after=after.get(key)) for key in {**before, **after}]
    changed = [change for change in changes if not _same(change)]
    return Delta(
        base=base,
        head=head,
        changes=tuple(sorted(changed, key=_order)),
        unknown_added=tuple(sorted(set(head.unknown) - set(base.unknown))),
        unknown_gone=tuple(sorted(set(base.unknown) - set(head.unknown))),
    )


def _keyed(estimate: Estimate) -> dict[Key, Line]:
    """A line's key outlives another instance type, which is what a change of it should show."""
    keyed: dict[Key, Line] = {}
    for line in estimate.lines:
        number = 0
        name = line.charge.item.partition("/")[0]
        place = line.place
        where = line.charge.region
        while (place.stack, place.path, name, where, line.charge.per, number) in keyed:
            number += 1
        keyed[place.stack, place.path, name, where, line.charge.per, number] = line
    return keyed


def _same(change: Change) -> bool:
    before, after = change.before, change.after
    if before is None or after is None:
        return False
    facts = [
        (line.charge.item, line.charge.quantity, line.region, line.rate, line.discounted) for line in (before, after)
    ]
    return facts[0] == facts[1]


def _order(change: Change) -> tuple[bool, Decimal, str, str]:
    difference = change.difference
    return (difference is not None, -abs(difference or Decimal(0)), change.line.place.path, change.line.charge.item)
