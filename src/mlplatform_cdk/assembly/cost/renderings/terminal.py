"""The estimate on a terminal: sums and rates first, every line and assumption on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table as Grid

from mlplatform_cdk.assembly.cost.renderings.tables import (
    delta_headline,
    delta_summary,
    delta_tables,
    first_tables,
    headline,
    more_tables,
    summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from mlplatform_cdk.assembly.cost.delta import Delta
    from mlplatform_cdk.assembly.cost.estimate import Estimate
    from mlplatform_cdk.assembly.findings import Table

_SHORT = 12  # rows of a table on the first screen
_MORE = "[dim]--details shows every line, the assumptions, the use of a month and the prices' sources[/]"


def print_estimate(estimate: Estimate, console: Console, *, details: bool = False) -> None:
    """Print the estimate.

    :param details: every line, assumption and source; default: the sums, the dearest lines and the rates.
    """
    _top(console, estimate.subject, headline(estimate), summary(estimate))
    tables = first_tables(estimate)
    _print(console, (*tables, *more_tables(estimate)) if details else tables, rows=None if details else _SHORT)
    if not details:
        console.print(f"\n{_MORE}", soft_wrap=True)


def print_delta(delta: Delta, console: Console, *, details: bool = False) -> None:
    """Print the difference of two estimates.

    :param details: the whole new estimate below it; default: the difference.
    """
    _top(console, f"{delta.head.subject} against {delta.base.subject}", delta_headline(delta), delta_summary(delta))
    _print(console, delta_tables(delta), rows=None if details else _SHORT)
    if details:
        _print(console, (*first_tables(delta.head), *more_tables(delta.head)), rows=None)


def _top(console: Console, subject: str, title: str, sentences: Iterable[str]) -> None:
    console.print(f"[bold]mlplatform cost[/] {escape(subject)}: [bold]{escape(title)}[/]", soft_wrap=True)
    for sentence in sentences:
        console.print(escape(sentence), soft_wrap=True)


def _print(console: Console, tables: Iterable[Table], *, rows: int | None) -> None:
    for table in tables:
        shown = table.rows if rows is None else table.rows[:rows]
        left = len(table.rows) - len(shown)
        caption = ". ".join(part for part in (table.note, f"{left} more with --details" if left else "") if part)
        grid = Grid(title=escape(table.title), caption=escape(caption) or None)
        for column in table.columns:
            grid.add_column(escape(column), overflow="fold")  # a path's end is what tells it from its neighbours
        for row in shown:
            grid.add_row(*map(escape, row))
        console.print()
        console.print(grid)
