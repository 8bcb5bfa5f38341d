"""What an estimate and a difference say, as tables that a terminal and a comment both show."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.estimate import lines_by_use
from mlplatform_cdk.assembly.cost.lines import Kind
from mlplatform_cdk.assembly.cost.money import difference, dollars, rate, told, total
from mlplatform_cdk.assembly.cost.usage import DISCOUNTS
from mlplatform_cdk.assembly.findings import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from mlplatform_cdk.assembly.cost.delta import Delta
    from mlplatform_cdk.assembly.cost.estimate import Estimate, Totals
    from mlplatform_cdk.assembly.cost.lines import Line
    from mlplatform_cdk.assembly.cost.money import Amount

UNKNOWN = "unknown"
_ALWAYS = (
    "list prices on demand: no free tiers, taxes, support or private discounts",
    "the first paid tier of a price with tiers",
    "not seen: data transfer between zones, regions and to the internet, custom metrics, a key's rotations",
    "nor seen: the volumes that SageMaker chooses for an endpoint's instances, and what people start by hand",
    "nor seen: the public addresses that load balancers and tasks take",
    "a resource with a condition counts as made; an endpoint that releases own counts from its first release on",
    "of job states that exclude one another, each is taken by its share of the executions",
)


def headline(estimate: Estimate) -> str:
    """What it commits to, in one sentence."""
    return f"commits to {_in_words(estimate.totals().committed)}"


def summary(estimate: Estimate) -> tuple[str, ...]:
    """The first screen's sentences."""
    totals = estimate.totals()
    used = f"the assumed use adds {_in_words(totals.used)}"
    if not _has_options(estimate):
        return (used,)
    both = f"{_in_words(totals.committed_discounted)}; its use {_in_words(totals.used_discounted)}"
    return (used, f"with the options that are set it commits to {both}")


def first_tables(estimate: Estimate) -> tuple[Table, ...]:
    """What fits a screen or two."""
    return tuple(
        table
        for table in (
            *_per_region(estimate),
            _groups("stack", estimate, estimate.by("stack")),
            _groups("room", estimate, estimate.by("room")),
            _committed(estimate),
            _per_use(estimate),
            _unknown(estimate.unknown),
        )
        if table.rows
    )


def more_tables(estimate: Estimate) -> tuple[Table, ...]:
    """The rest: where the use is, on which assumptions, from which prices, and what costs nothing."""
    used = sorted(_of(estimate, Kind.USAGE), key=_dearest)
    return (
        _lines("the assumed use", used, estimate),
        Table(title="assumptions", columns=("what",), rows=tuple((text,) for text in assumptions(estimate))),
        _assumed_use(estimate),
        _prices(estimate),
        Table(
            title="costs nothing",
            columns=("type", "resources", "why"),
            rows=tuple((name, str(count), why) for name, (why, count) in estimate.free.items()),
        ),
    )


def assumptions(estimate: Estimate) -> tuple[str, ...]:
    """What the figures rest on, apart from the use."""
    told_ = list(_ALWAYS)
    told_.append(f"the use of a month is from {estimate.usage.source or 'the defaults; change it with a usage file'}")
    if estimate.regionless:
        told_.append(f"without a region, so priced in {estimate.fallback_region}: {', '.join(estimate.regionless)}")
    told_.extend(
        f"{name} takes off {share:.0%} of: {DISCOUNTS[name]}" for name, share in estimate.usage.discounts.items()
    )
    return tuple(told_)


def delta_headline(delta: Delta) -> str:
    """By how much the commitment changes, in one sentence."""
    if not delta.changes and not delta.unknown_added:
        return "no change"
    amount = difference(delta.difference(Kind.COMMITTED))
    return f"commits to {amount} a month{_open(delta, Kind.COMMITTED)}"


def delta_summary(delta: Delta) -> tuple[str, ...]:
    """From what to what, and the change of the use."""
    before, after = delta.base.totals(), delta.head.totals()
    return (
        f"from {_in_words(before.committed_discounted)}, to {_in_words(after.committed_discounted)}",
        f"the assumed use: {difference(delta.difference(Kind.USAGE))} a month{_open(delta, Kind.USAGE)}",
    ) + (("the two have no stack in common; --pair BASE=HEAD compares stages of two names",) * delta.strangers)


def delta_tables(delta: Delta) -> tuple[Table, ...]:
    """The changes, and what became unknown or known."""
    changes = Table(
        title="changes",
        columns=("where", "what", "before", "after", "a month"),
        rows=tuple(
            (
                change.line.place.path,
                change.line.charge.what,
                _cost(change.before),
                _cost(change.after),
                UNKNOWN if change.difference is None else difference(change.difference),
            )
            for change in delta.changes
        ),
    )
    gone = Table(title="no longer unknown", columns=("what",), rows=tuple((name,) for name in delta.unknown_gone))
    added = _unknown(delta.unknown_added, "newly unknown")
    return tuple(table for table in (changes, added, gone) if table.rows)


def _per_region(estimate: Estimate) -> tuple[Table, ...]:
    """What each of several regions takes."""
    regions = estimate.by_region()
    return (_groups("region", estimate, regions),) if len(regions) > 1 else ()


def _groups(name: str, estimate: Estimate, found: Mapping[str, Totals]) -> Table:
    options = _has_options(estimate)
    groups = [(group, totals) for group, totals in found.items() if _matters(totals)]
    columns = (name, "commits to", "assumed use adds") + (("commits to, options set", "use, options set") * options)
    rows = tuple(
        (group, told(totals.committed), told(totals.used))
        + ((told(totals.committed_discounted), told(totals.used_discounted)) * options)
        for group, totals in groups
    )
    return Table(title=f"per {name}, a month", columns=columns, rows=rows)


def _committed(estimate: Estimate) -> Table:
    return _lines("what stands, used or not, a month", sorted(_of(estimate, Kind.COMMITTED), key=_dearest), estimate)


def _lines(title: str, lines: Sequence[Line], estimate: Estimate) -> Table:
    options = _has_options(estimate)
    return Table(
        title=title,
        columns=("where", "what", "a month") + (("options set",) * options),
        rows=tuple(
            (line.place.path, line.charge.what, told(line.on_demand)) + ((told(line.discounted),) * options)
            for line in lines
        ),
    )


def _per_use(estimate: Estimate) -> Table:
    """The rates, those of what use is dearest first: what a month's assumed use adds comes with them."""
    uses = sorted(lines_by_use(estimate.lines).items(), key=lambda use: _dearest_of(use[1]))
    rows = []
    for (per, item, _), lines in uses:
        rates = {UNKNOWN if line.rate is None else rate(line.rate) for line in lines}
        places = sorted({line.place.path for line in lines})
        added = told(total(line.on_demand for line in lines))
        rows.append((per, " / ".join(sorted(rates)), added, item, f"{lines[0].region}: {_places(places)}"))
    columns = ("one more", "costs", "a month's use", "of", "where")
    return Table(title="per unit of use", columns=columns, rows=tuple(rows))


def _unknown(names: Iterable[str], title: str = "unknown") -> Table:
    note = "These are in no sum. Prices come with --prices or --live, use and discounts with --usage."
    return Table(title=title, columns=("what",), rows=tuple((name,) for name in names), note=note)


def _assumed_use(estimate: Estimate) -> Table:
    rows = tuple(
        (name, f"{amount.normalize():f}", what) for name, (amount, what) in estimate.usage.assumptions().items()
    )
    return Table(title="use of a month", columns=("name in usage.yaml", "amount", "of what"), rows=rows)


def _prices(estimate: Estimate) -> Table:
    dates: dict[str, set[str]] = defaultdict(set)
    for line in estimate.lines:
        if line.price is not None:
            dates[line.price.source].add(line.price.date)
    rows = tuple((", ".join(sorted(dates[name])), estimate.sources.get(name, name)) for name in sorted(dates))
    return Table(title="prices", columns=("date", "source"), rows=rows)


def _of(estimate: Estimate, kind: Kind) -> list[Line]:
    return [line for line in estimate.lines if line.kind is kind]


def _dearest(line: Line) -> tuple[bool, Decimal, str]:
    return (line.on_demand.complete, -line.on_demand.known, line.place.path)


def _dearest_of(lines: Sequence[Line]) -> tuple[bool, Decimal, str]:
    amount = total(line.on_demand for line in lines)
    return amount.complete, -amount.known, lines[0].charge.per


def _matters(totals: Totals) -> bool:
    amounts = (totals.committed, totals.used)
    return any(amount.known or amount.unknown for amount in amounts)


def _has_options(estimate: Estimate) -> bool:
    return any(line.share_paid != 1 for line in estimate.lines)


def _cost(line: Line | None) -> str:
    return "" if line is None else told(line.discounted)


def _open(delta: Delta, kind: Kind) -> str:
    return ", and changes whose price is unknown" if delta.open(kind) else ""


def _places(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{len(paths)} resources"


def _in_words(amount: Amount) -> str:
    if amount.complete:
        return f"{dollars(amount.known)} a month"
    return f"at least {dollars(amount.known)} a month, incomplete: {len(amount.unknown)} unknown"
