"""The rehearsal of releases from its first line to its last."""

import os
import platform as machine
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
from rich.markup import escape

from mlplatform_cdk.assembly import AssemblyError, read
from mlplatform_cdk.assembly.synthesize import node_environment
from mlplatform_cdk.cli.console import ERR, CommandFailed
from mlplatform_cdk.cli.deployments import at_place_of
from mlplatform_cdk.cli.rehearse.choice import chosen, the_one
from mlplatform_cdk.cli.rehearse.results import line_of, show
from mlplatform_cdk.cli.rehearse.telling import tell
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.rehearsal import clock, target
from mlplatform_cdk.local.rehearsal.page import page
from mlplatform_cdk.local.rehearsal.rehearse import Rehearsal
from mlplatform_cdk.local.rehearsal.report import RehearsalReport
from mlplatform_cdk.local.rehearsal.scenarios import ALL, Scenario
from mlplatform_cdk.local.rehearsal.target import NothingToRehearse
from mlplatform_cdk.local.settings import Settings

OURS = "mlplatform_cdk.local.rehearsal.app"


def run_rehearsal(
    assembly: Path | None,
    *,
    names: Sequence[str] | None,
    endpoint: str | None,
    region: str | None,
    rate: float,
    clock_factor: float | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Rehearse, show what came of it, and end with 1 unless every scenario held."""
    scenarios = chosen(names, ALL)
    with tempfile.TemporaryDirectory(prefix="mlplatform-rehearsal-") as folder:
        try:
            report = _rehearse(assembly, scenarios, (endpoint, region), rate, clock_factor, Path(folder))
        except (AssemblyError, deploy.DeploymentFailed, server.ServerFailed, NothingToRehearse, ValueError) as failure:
            raise CommandFailed(str(failure)) from failure
    tell(report, as_json=as_json, html=html, page=page, show=show)


def _rehearse(
    given: Path | None,
    scenarios: Sequence[Scenario],
    named: tuple[str | None, str | None],
    rate: float,
    clock_factor: float | None,
    folder: Path,
) -> RehearsalReport:
    began = time.monotonic()
    cloud = read(given or _ours(folder / "cdk.out"))
    strategies = target.strategies(cloud)
    if not strategies:
        raise NothingToRehearse(f"{given} must hold a release, such as BlueGreenRelease makes it, got none")
    factor = clock_factor or min(clock.factor_for(one, rate) for one in strategies)
    longest_wait = max(clock.longest_wait_s(one, factor) for one in strategies)
    settings = Settings(
        state_dir=folder / "aws",
        clock_factor=factor,
        longest_wait_s=longest_wait,
        longest_answer_s=clock.LONGEST_ANSWER_S,
    )
    with server.start(at_place_of(cloud, settings)) as aws:
        with status_line("deploying …") as tell:
            deploy.deploy(cloud, aws.settings, on_event=lambda event: tell(f"{event.stack} {event.logical_id}"))
        regions = {aws.settings.region, *(stack.region for stack in cloud.all_stacks() if stack.region)}
        everywhere = [Administrator(replace(aws.settings, region=region)) for region in sorted(regions)]
        found = the_one([one for administrator in everywhere for one in target.find(administrator)], *named)
        report = RehearsalReport(
            endpoint=found.endpoint,
            assembly=str(given) if given else "The rehearsal's own app",
            machine=machine_facts(),
            strategy=dict(found.strategy),
            clock=clock.sentence(factor, longest_wait),
            rate=rate,
        )
        with status_line("rehearsing …") as tell:
            here = Administrator(replace(aws.settings, region=found.region))
            rehearsal = Rehearsal(aws=here, target=found, rate=rate, tell=tell)
            for outcome in rehearsal.run(scenarios):
                report.outcomes.append(outcome)
                ERR.print(line_of(outcome), soft_wrap=True)
    report.seconds = time.monotonic() - began
    return report


@contextmanager
def status_line(text: str) -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what happens, for the block."""
    with ERR.status(text) as status:
        yield lambda news: status.update(escape(news))


def _ours(folder: Path) -> Path:
    """The assembly of the app that comes along, made by a process of its own: Node is not needed after it."""
    ended = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", OURS, str(folder)],
        env={**os.environ, **node_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise CommandFailed(f"the rehearsal's own app could not be synthesized: {ended.stderr.strip()}")
    return folder


def machine_facts() -> dict[str, object]:
    """On what the rehearsal ran."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": machine.system(),
        "processor": machine.machine(),
        "python": machine.python_version(),
    }
