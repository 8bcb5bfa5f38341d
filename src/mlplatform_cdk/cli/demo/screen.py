"""What the demo shows people while it runs and when it has ended; with ``--json`` it stays quiet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from mlplatform_cdk.cli.demo.report import DemoReport, ExecutionReport, StepFailed


class Screen:
    """One line per phase, with the state that it is in and the time that it took."""

    def __init__(self, console: Console, report: DemoReport) -> None:
        self._console = console
        self._report = report
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}[/]"),
            console=console,
        )
        self._task = self._progress.add_task("", visible=False, detail="")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show progress for the block."""
        with self._progress:
            yield

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """One phase of the demo; an expected failure inside is this phase's."""
        self._task = self._progress.add_task(name, total=1, detail="")
        began = time.monotonic()
        try:
            yield
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(name, f"{type(error).__name__}: {error}") from error
        finally:
            self._report.phases[name] = time.monotonic() - began
        self._progress.update(self._task, completed=1)

    def detail(self, text: str) -> None:
        """What the running phase does at the moment."""
        self._progress.update(self._task, detail=text)


def show(console: Console, report: DemoReport) -> None:
    """The results, as tables; what was not reached is not shown."""
    for table in _tables(report):
        console.print(table)
    if report.golden:
        console.print(f"[bold]Golden requests[/] answered by the new version: {report.golden}")
    if report.succeeded:
        figures = f"{report.seconds:.0f} s, at most {report.peak_memory_mib} MiB of memory"
        console.print(f"[bold green]The whole path holds[/]: {figures}.")


def _tables(report: DemoReport) -> Iterator[Table]:
    if report.stacks:
        yield _stacks(report)
    if report.run:
        yield _execution("Retraining run", report.run)
    if report.model:
        yield _model(report)
    if report.release:
        yield _execution("Release", report.release)
    if report.predictions:
        yield _predictions(report)
    if report.refused:
        yield _execution("A deliberately worse model", report.refused)


def _stacks(report: DemoReport) -> Table:
    table = Table("stack", "resources", "seconds", title=f"Deployed to the embedded AWS: {report.environment}")
    for stack in report.stacks:
        table.add_row(stack.name, str(stack.resources), f"{stack.seconds:.1f}")
    table.add_section()
    table.add_row("", str(sum(stack.resources for stack in report.stacks)), "")
    if report.not_honoured:
        table.caption = "\n".join(["not honoured by the embedded AWS:", *report.not_honoured])
    return table


def _execution(title: str, execution: ExecutionReport) -> Table:
    table = Table("state", "seconds", title=f"{title}: {execution.name}")
    for state in execution.states:
        table.add_row(state.name, f"{state.seconds:.1f}")
    table.add_section()
    table.add_row(execution.status, f"{execution.seconds:.1f}")
    if execution.error:
        table.caption = f"{execution.error}: {execution.cause}"
    return table


def _model(report: DemoReport) -> Table:
    model = report.model
    assert model is not None
    table = Table("registered model", model.arn.rsplit(":", 1)[-1], title="Model Registry")
    table.add_row("approval", f"{model.approval}: {model.approval_reason or ''}")
    table.add_row("life cycle", model.life_cycle or "")
    for name, value in model.metrics.items():
        table.add_row(f"metric {name}", f"{value:.4f}")
    for name, text in model.lineage.items():
        table.add_row(name.replace("_", " "), text)
    return table


def _predictions(report: DemoReport) -> Table:
    table = Table("holdout row", "predicted", "probability", "truth", "ms", "variant", title="invoke_endpoint")
    for prediction in report.predictions:
        agrees = "green" if prediction.predicted == prediction.truth else "red"
        table.add_row(
            str(prediction.row),
            f"[{agrees}]{prediction.predicted}[/]",
            f"{prediction.probability:.3f}",
            prediction.truth,
            f"{prediction.milliseconds:.1f}",
            prediction.variant,
        )
    if report.holdout_accuracy is not None:
        table.caption = f"whole holdout through the endpoint: {report.holdout_accuracy:.1%} right"
    return table
