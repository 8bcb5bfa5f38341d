"""The estimate: every resource of every stack, with its lines, its reason to be free, or its name among the unknown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.expansions import expansions
from mlplatform_cdk.assembly.cost.lines import Charge, Free, Kind, Line, Place, Unseen
from mlplatform_cdk.assembly.cost.money import Amount, total
from mlplatform_cdk.assembly.cost.parameters import as_given
from mlplatform_cdk.assembly.cost.pricing import charges_of
from mlplatform_cdk.assembly.cost.resources import Resource
from mlplatform_cdk.assembly.diff.sources import NESTED, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mlplatform_cdk.assembly.cost.pricebook import PriceBook
    from mlplatform_cdk.assembly.cost.usage import Usage
    from mlplatform_cdk.assembly.diff.sources import Source
    from mlplatform_cdk.assembly.pairing import Identity
    from mlplatform_cdk.assembly.reader import Assembly


_ONE = Decimal(1)
# What the template chooses has a discount that is unknown unless told; a plan is the account's, so it is none.
_CHOSEN = ("managed_spot_training", "fargate_spot")
FALLBACK_REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that may cost money and has no line.

    :param what: in words.
    """

    place: Place
    what: str

    @property
    def name(self) -> str:
        """What it is and where."""
        return f"{self.what} ({self.place.path})"

    @property
    def amount(self) -> Amount:
        """Nothing that is known, and its name."""
        return Amount(unknown=frozenset({self.name}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sums of some lines for a month.

    :param committed: what stands, at list prices.
    :param used: what use adds, at list prices.
    :param committed_discounted: the same with the options that are set.
    :param used_discounted: the same with the options that are set.
    """

    committed: Amount
    used: Amount
    committed_discounted: Amount
    used_discounted: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What an assembly costs.

    :param subject: the assembly's folder.
    :param free: the types that cost nothing, with the reason and how many there are.
    :param sources: what the short names of the prices' sources stand for.
    :param regionless: stacks without a region, priced in the one that stands in.
    :param stacks: account, region and name of each; None for a nested one.
    """

    subject: str
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]
    free: Mapping[str, tuple[str, int]]
    usage: Usage
    sources: Mapping[str, str]
    regionless: tuple[str, ...] = ()
    fallback_region: str = FALLBACK_REGION
    stacks: Mapping[str, Identity | None] = field(default_factory=dict)

    def totals(self, chosen: Callable[[Place], bool] = lambda _: True) -> Totals:
        """The sums over the places that are ``chosen``; default: all."""
        return _sums(
            [line for line in self.lines if chosen(line.place)], [gap for gap in self.gaps if chosen(gap.place)]
        )

    def by(self, name: str) -> dict[str, Totals]:
        """The sums per ``stack``, ``room`` or ``path``, the dearest first."""
        names = {getattr(place, name) for place in self.places}
        groups = {value: self.totals(lambda place, value=value: getattr(place, name) == value) for value in names}  # type: ignore[misc]
        return _dearest_first(groups)

    def by_region(self) -> dict[str, Totals]:
        """What each region takes wherever it is charged: its stacks, and what others hold for it, under its name.

        A construct whose id is a region's name, or ends with it, is that region's: a health check of it in the stack of
        the names, an alarm on what is copied there. The rest is that of the region where it is charged.
        """
        regions = {place.region for place in self.places} | {line.region for line in self.lines}
        of_lines = [(_whose(line.place, line.region, regions), line) for line in self.lines]
        of_gaps = [(_whose(gap.place, gap.place.region, regions), gap) for gap in self.gaps]
        return _dearest_first(
            {
                region: _sums(
                    [line for whose, line in of_lines if whose == region],
                    [gap for whose, gap in of_gaps if whose == region],
                )
                for region in {whose for whose, _ in (*of_lines, *of_gaps)}
            }
        )

    @property
    def places(self) -> tuple[Place, ...]:
        """Where its lines and gaps are."""
        return (*(line.place for line in self.lines), *(gap.place for gap in self.gaps))

    @property
    def needed(self) -> frozenset[tuple[str, str]]:
        """The items and regions whose prices the estimate asks for."""
        return frozenset((line.charge.item, line.region) for line in self.lines)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Everything that has no price or no quantity, by name, use that nobody assumes included."""
        missing = {name for line in self.lines for name in line.missing}
        return tuple(sorted(missing | {gap.name for gap in self.gaps} | _open_discounts(self.lines)))


def estimate(
    assembly: Assembly, prices: PriceBook, usage: Usage, *, fallback_region: str = FALLBACK_REGION
) -> Estimate:
    """What ``assembly`` costs in a month.

    :param fallback_region: prices the stacks that name no region.
    """
    lines: list[Line] = []
    gaps: list[Gap] = []
    free: dict[str, tuple[str, int]] = {}
    stacks = as_given(sources(assembly), fallback_region)
    for resource in _resources(stacks.values(), usage, fallback_region):
        for each in _found(resource, stacks):
            if isinstance(each, Charge):
                lines.append(_line(resource, each, prices, usage))
            elif isinstance(each, Unseen):
                gaps.append(Gap(place=resource.place, what=each.what))
            else:
                free[resource.type] = (each.reason, free.get(resource.type, ("", 0))[1] + 1)
    for source in stacks.values():
        gaps.extend(Gap(place=place, what=what) for place, what in expansions(source, source.region or fallback_region))
    return Estimate(
        subject=str(assembly.directory),
        lines=tuple(lines),
        gaps=tuple(gaps),
        free=dict(sorted(free.items())),
        usage=usage,
        sources=prices.sources,
        regionless=tuple(source.key for source in stacks.values() if source.region is None),
        fallback_region=fallback_region,
        stacks={source.key: None if source.parent else source.identity for source in stacks.values()},
    )


def repriced(before: Estimate, prices: PriceBook) -> Estimate:
    """The same estimate with other prices."""
    lines = tuple(replace(line, price=prices.find(line.charge.item, line.region)) for line in before.lines)
    return replace(before, lines=lines, sources=prices.sources)


def _found(resource: Resource, stacks: Mapping[str, Source]) -> tuple[Charge | Free | Unseen, ...]:
    if resource.type == NESTED and f"{resource.source.key}/{resource.logical_id}" not in stacks:
        return (Unseen("a nested stack whose template is not in the assembly"),)
    found = charges_of(resource)
    return (Unseen(f"type: {resource.type}"),) if found is None else found


def _resources(stacks: Iterable[Source], usage: Usage, fallback_region: str) -> Iterator[Resource]:
    for source in stacks:
        for logical_id in source.resources:
            yield Resource(source=source, logical_id=logical_id, region=source.region or fallback_region, usage=usage)


def _line(resource: Resource, charge: Charge, prices: PriceBook, usage: Usage) -> Line:
    discount = usage.discount(charge.discount) if charge.discount else None
    share = _ONE - discount if discount is not None else None if charge.discount in _CHOSEN else _ONE
    region = charge.region or resource.region
    return Line(
        place=resource.place,
        charge=charge,
        region=region,
        price=prices.find(charge.item, region),
        share_paid=share,
    )


def _open_discounts(lines: Iterable[Line]) -> set[str]:
    return {f"discount: {line.charge.discount}" for line in lines if line.share_paid is None}


def _sums(lines: Sequence[Line], gaps: Iterable[Gap]) -> Totals:
    unknown = total(gap.amount for gap in gaps)
    committed = [line for line in lines if line.kind is Kind.COMMITTED]
    used = [line for line in lines if line.kind is Kind.USAGE]
    return Totals(
        committed=total(line.on_demand for line in committed) + unknown,
        used=total(line.on_demand for line in used),
        committed_discounted=total(line.discounted for line in committed) + unknown,
        used_discounted=total(line.discounted for line in used),
    )


def _whose(place: Place, charged: str, regions: Iterable[str]) -> str:
    ids = place.path.split("/")
    return next((one for one in sorted(regions) if any(id_ == one or id_.endswith(f"-{one}") for id_ in ids)), charged)


def _dearest_first(groups: Mapping[str, Totals]) -> dict[str, Totals]:
    return dict(sorted(groups.items(), key=lambda group: (-_known(group[1]), group[0])))


def _known(totals: Totals) -> Decimal:
    return totals.committed.known + totals.used.known


def lines_by_use(lines: Iterable[Line]) -> dict[tuple[str, str, str], list[Line]]:
    """The lines of use, by what people count, the item and the region, so that equal rates are told once."""
    groups: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind is Kind.USAGE:
            groups[line.charge.per, line.charge.item, f"{line.region} {line.rate}"].append(line)
    return dict(sorted(groups.items()))
