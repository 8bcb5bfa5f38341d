"""The report on a terminal: counts and rules first; places, reasons and ways out on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table as Grid

from mlplatform_cdk.assembly.findings import Severity, by_rule
from mlplatform_cdk.assembly.renderings.markdown import example, headline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from mlplatform_cdk.assembly.findings import Finding, Report, Table

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_PLACES = 3  # shown of each rule on the first screen
_WIDEST = 10_000  # columns in which any table fits


def print_report(report: Report, console: Console, *, details: bool = False) -> None:
    """Print the report.

    :param details: every place with its reason and way out, accepted findings and all tables; default: one screen.
    """
    console.print(f"[bold]mlplatform {report.verb}[/] {escape(report.subject)}: {headline(report)}", soft_wrap=True)
    for line in report.summary:
        console.print(escape(line), soft_wrap=True)
    for rule, findings in by_rule(report.findings).items():
        console.print()
        console.print(_title(rule, findings), soft_wrap=True)
        for line in _whole(findings) if details else _short(findings):
            console.print(line, soft_wrap=True)
    if details:
        _print_details(report, console)


def _print_details(report: Report, console: Console) -> None:
    for table in report.tables:
        console.print()
        _print_table(table, console)
    if report.accepted:
        console.print(f"\n[bold]accepted[/] ({len(report.accepted)})")
    for accepted in report.accepted:
        until = f" until {accepted.expires}" if accepted.expires else ""
        console.print(f"  {escape(accepted.finding.rule)} at {escape(accepted.finding.where)}", soft_wrap=True)
        console.print(f"    [dim]{escape(accepted.reason)} ({escape(accepted.source)}{until})[/]", soft_wrap=True)


def _title(rule: str, findings: Sequence[Finding]) -> str:
    severity = findings[0].severity
    said = escape(example(findings))
    return f"[{_STYLES[severity]}]{severity.value}[/] [bold]{escape(rule)}[/] ({len(findings)}) {said}"


def _short(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings[:_PLACES]:
        yield f"  [dim]at[/] {escape(finding.where)}"
    if len(findings) > _PLACES:
        yield f"  [dim]and at {len(findings) - _PLACES} more; --details shows all[/]"


def _whole(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        detail = finding.rule.removeprefix(finding.family)
        place = " ".join(part for part in (finding.where, finding.property_path, detail) if part)
        yield f"  [dim]at[/] {escape(place)}: {escape(finding.message)}"
        for label, text in (("why", finding.reason), ("way out", finding.way_out), ("more", finding.url)):
            if text:
                yield f"    [dim]{label}:[/] {escape(text)}"
        if finding.tools:
            yield f"    [dim]by {escape(', '.join(finding.tools))}[/]"


def _print_table(table: Table, console: Console) -> None:
    """A table that is wider than the terminal becomes a list, so that its commands can be copied."""
    grid = _grid(table)
    if console.measure(grid, options=console.options.update(max_width=_WIDEST)).maximum <= console.width:
        console.print(grid)
        return
    console.print(f"[bold]{escape(table.title)}[/] ({len(table.rows)})")
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/]", soft_wrap=True)
    for first, *others in table.rows:
        console.print(f"  [dim]{escape(table.columns[0])}:[/] {escape(first)}", soft_wrap=True)
        for column, text in zip(table.columns[1:], others, strict=True):
            console.print(f"    [dim]{escape(column)}:[/] {escape(text)}", soft_wrap=True)


def _grid(table: Table) -> Grid:
    grid = Grid(*map(escape, table.columns), title=escape(table.title), caption=escape(table.note) or None)
    for row in table.rows:
        grid.add_row(*map(escape, row))
    return grid
