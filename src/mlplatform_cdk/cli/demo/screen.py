"""What the demo shows while it runs: a line per phase, on stderr, so that ``--json`` has stdout to itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from mlplatform_cdk.cli.demo.report import DemoReport, StepFailed

_OURS = "mlplatform_cdk."


class Screen:
    """One line per phase: how it stands, the time that it took, and what it does at the moment.

    On a terminal the lines move; elsewhere each is printed once, when its phase has ended.
    """

    def __init__(self, console: Console, report: DemoReport) -> None:
        self._console = console
        self._report = report
        self._progress = Progress(
            SpinnerColumn(finished_text=""),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            _Seconds(table_column=Column(no_wrap=True, justify="right")),
            _Detail(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show progress for the block."""
        with self._progress:
            yield

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """One phase of the demo; a failure inside is this phase's, in its own words where they are ours."""
        self._task = self._progress.add_task(name, total=1, detail="")
        began = time.monotonic()
        mark = "[red]✗[/]"
        try:
            yield
            mark = "[green]✓[/]"
        except StepFailed:
            raise
        except Exception as error:
            kind = type(error)
            sentence = str(error) if kind.__module__.startswith(_OURS) else f"{kind.__name__}: {error}"
            raise StepFailed(name, sentence) from error
        finally:
            self._end(mark, name, time.monotonic() - began)

    def detail(self, text: str) -> None:
        """What the running phase does at the moment."""
        if self._task is not None:
            self._progress.update(self._task, detail=text)

    def _end(self, mark: str, name: str, seconds: float) -> None:
        self._report.phases[name] = seconds
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        # Above the moving lines, where it stays.
        self._progress.console.print(f"{mark} {name} [dim]{seconds:.1f} s[/]", soft_wrap=True)


class _Seconds(ProgressColumn):
    """The seconds since the phase began."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.elapsed or 0:.1f} s", style="cyan")


class _Detail(ProgressColumn):
    """What the phase does, in the room that is left."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields["detail"]), style="dim", no_wrap=True, overflow="ellipsis")
