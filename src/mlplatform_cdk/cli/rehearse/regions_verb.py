"""The rehearsal of regions from its first line to its last."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlplatform_cdk.assembly import AssemblyError
from mlplatform_cdk.cli.console import ERR, CommandFailed
from mlplatform_cdk.cli.rehearse.choice import chosen
from mlplatform_cdk.cli.rehearse.telling import tell
from mlplatform_cdk.cli.rehearse.verb import machine_facts, status_line
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.rehearsal.people import NothingHappened
from mlplatform_cdk.local.rehearsal.regions import deploying
from mlplatform_cdk.local.rehearsal.regions.names import DOMAIN, REGIONS
from mlplatform_cdk.local.rehearsal.regions.page import page
from mlplatform_cdk.local.rehearsal.regions.report import Counts, Outcome, RegionsReport, scaled
from mlplatform_cdk.local.rehearsal.regions.scenarios import ALL, Scenario
from mlplatform_cdk.local.settings import Settings

_COLUMNS = ("detect", "shift", "last by DNS", "well", "return", "by DNS", "by client", "capacity", "instances")
_CAPTION = (
    "seconds from the fault to the region's verdict, to the name's shift, to the last call by DNS that reached it; "
    "from its end to the verdict, to the name's return; failed + wrong of all calls; right answers of those asked for; "
    "how the other region's instances grew"
)


def run_regions(
    *, names: Sequence[str] | None, rate: float, clock_factor: float | None, as_json: bool, html: Path | None
) -> None:
    """Rehearse, show what came of it, and end with 1 unless every scenario held."""
    scenarios = chosen(names, ALL)
    with tempfile.TemporaryDirectory(prefix="mlplatform-rehearsal-") as folder:
        try:
            report = _rehearse(scenarios, rate, clock_factor or deploying.DEFAULT_FACTOR, Path(folder))
        except (AssemblyError, deploy.DeploymentFailed, server.ServerFailed, NothingHappened, ValueError) as failure:
            raise CommandFailed(str(failure)) from failure
    tell(report, as_json=as_json, html=html, page=page, show=show)


def _rehearse(scenarios: Sequence[Scenario], rate: float, factor: float, folder: Path) -> RegionsReport:
    began = time.monotonic()
    settings = Settings(state_dir=folder / "aws", region=REGIONS[0], clock_factor=factor, longest_wait_s=1.0)
    report = RegionsReport(
        domain=DOMAIN,
        regions=REGIONS,
        machine=machine_facts(),
        clock=deploying.sentence(factor),
        rate=rate,
    )
    with (
        server.start(settings) as aws,
        status_line("starting …") as tell,
        deploying.deployed(aws.settings, folder, rate=rate, factor=factor, tell=tell) as rehearsal,
    ):
        for outcome in rehearsal.run(scenarios):
            report.outcomes.append(outcome)
            ERR.print(_line(outcome), soft_wrap=True)
    report.seconds = time.monotonic() - began
    return report


def _line(outcome: Outcome) -> str:
    return f"{'[green]✓[/]' if outcome.held else '[red]✗[/]'} {escape(outcome.title)}"


def show(console: Console, report: RegionsReport) -> None:
    """Print the table of the scenarios, and what did not hold."""
    console.print()
    console.print(
        f"{report.domain} in {' and '.join(report.regions)}, {report.rate:g} calls a second",
        style="bold",
        soft_wrap=True,
    )
    console.print(escape(report.clock), style="dim", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("scenario", min_width=24)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for outcome in report.outcomes:
        table.add_row(*_row(outcome))
    console.print(table)
    console.print(_CAPTION, style="dim")
    for outcome in report.outcomes:
        for problem in outcome.problems:
            console.print(f"[red]✗[/] {escape(outcome.title)}: {escape(problem)}", soft_wrap=True)
    held = sum(one.held for one in report.outcomes)
    style = "bold green" if report.held else "bold red"
    console.print(f"\n[{style}]{held} of {len(report.outcomes)} scenarios held[/] in {report.seconds:.0f} s.")


def _row(outcome: Outcome) -> list[str]:
    capacity = outcome.capacity
    return [
        _line(outcome),
        _within(outcome.detect_s, outcome.detect_within_s),
        _seconds(outcome.shift_s),
        _within(outcome.left_s, outcome.left_within_s),
        _seconds(outcome.well_s),
        _seconds(outcome.return_s),
        _bad(outcome.plain),
        _bad(outcome.client),
        f"{capacity.right / capacity.asked:.0%}" if capacity and capacity.asked else "-",
        scaled(capacity) or "-",
    ]


def _within(value: float | None, most: float | None) -> str:
    return _seconds(value) if most is None else f"{_seconds(value)} of {most:.1f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _bad(counts: Counts | None) -> str:
    return "-" if counts is None else f"{counts.failed} + {counts.wrong} of {counts.sent}"
