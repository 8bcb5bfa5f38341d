"""What a rehearsal shows when it has ended, for people."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlplatform_cdk.local.rehearsal.report import Outcome, RehearsalReport

_COLUMNS = ("sent", "answered", "failed", "others", "green", "fault", "verdict", "s")
_CAPTION = (
    "failed: by green itself; others: failed otherwise; green: its largest share; fault, verdict: seconds from there "
    "to the last request that green answered or failed, 10 at most of what is not dim"
)


def line_of(outcome: Outcome) -> str:
    """One scenario, when it has ended."""
    if outcome.held is None:
        return f"[dim]- {escape(outcome.title)}: not applicable: {escape(outcome.problems[0])}[/]"
    mark = "[green]✓[/]" if outcome.held else "[red]✗[/]"
    return f"{mark} {escape(outcome.title)} [dim]{outcome.seconds:.1f} s[/]"


def show(console: Console, report: RehearsalReport) -> None:
    """Print the table of the scenarios, and what did not hold."""
    console.print()
    console.print(f"Releases to {report.endpoint}, {report.rate:g} requests a second", style="bold", soft_wrap=True)
    console.print(escape(report.clock), style="dim", soft_wrap=True)
    console.print(_table(report))
    console.print(_CAPTION, style="dim")
    for outcome in report.outcomes:
        for problem in outcome.problems if outcome.held is False else ():
            console.print(f"[red]✗[/] {escape(outcome.title)}: {escape(problem)}", soft_wrap=True)
        if outcome.held is False and outcome.ending:
            console.print(f"  {escape(outcome.ending)}", style="dim", soft_wrap=True)
    applied = [one for one in report.outcomes if one.held is not None]
    held = sum(bool(one.held) for one in applied)
    style = "bold green" if report.held else "bold red"
    console.print(f"\n[{style}]{held} of {len(applied)} scenarios held[/] in {report.seconds:.0f} s.")


def _table(report: RehearsalReport) -> Table:
    """Requests as counts, times in seconds; a dash: callers never met that version."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("scenario", min_width=24)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for outcome in report.outcomes:
        table.add_row(*_row(outcome))
    return table


def _row(outcome: Outcome) -> list[str]:
    mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]-[/]"}[outcome.held]
    name = f"{mark} {escape(outcome.title)}"
    counts = outcome.counts
    if counts is None:
        return [name, *("" for _ in _COLUMNS)]
    return [
        name,
        f"{counts.sent}",
        f"{counts.answered}",
        f"{counts.failed_by_green}",
        f"{counts.failed_otherwise}",
        f"{outcome.highest_share:g} %",
        _judged(outcome, "fault", outcome.from_fault_s),
        _judged(outcome, "verdict", outcome.from_verdict_s),
        f"{outcome.seconds:.1f}",
    ]


def _judged(outcome: Outcome, since: str, value: float | None) -> str:
    """Dim is what need not be short."""
    return _seconds(value) if outcome.counts_from == since else f"[dim]{_seconds(value)}[/]"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
