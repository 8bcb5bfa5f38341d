"""What the demo shows when it has ended, for people; what was not reached is not shown."""

from collections.abc import Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from mlplatform_cdk.cli.demo.report import DemoReport, ExecutionReport, ModelReport, StateReport

_BAR_WIDTH = 32
_INDENT = (0, 0, 0, 1)
_DIGEST_SHOWN = 16
_DIGEST_LENGTH = 64


def show(console: Console, report: DemoReport) -> None:
    """Print each part under its heading."""
    for heading, content in _parts(report):
        console.print()
        console.print(heading, style="bold", soft_wrap=True)
        console.print(content)
    if report.succeeded:
        figures = f"{report.seconds:.0f} s, at most {report.peak_memory_mib} MiB of memory"
        console.print(f"\n[bold green]The whole path holds[/]: {figures}.")


def _parts(report: DemoReport) -> Iterator[tuple[str, RenderableType]]:
    yield from _deployment(report)
    if report.run:
        yield f"Retraining run {report.run.name}", _execution(report.run)
    if report.model:
        yield f"Model Registry: {report.model.arn.rsplit('model-package/', 1)[-1]}", _model(report.model)
    yield from _serving(report)
    if report.refused:
        yield f"A deliberately worse model: run {report.refused.name}", _execution(report.refused)


def _deployment(report: DemoReport) -> Iterator[tuple[str, RenderableType]]:
    if report.stacks:
        yield f"Deployed to the embedded AWS: the environment {report.environment}", _stacks(report)
    if report.not_honoured:
        yield "Not honoured by the embedded AWS", _lines(report.not_honoured, style="yellow")


def _serving(report: DemoReport) -> Iterator[tuple[str, RenderableType]]:
    if report.release:
        yield f"Release {report.release.name}", _execution(report.release)
    if report.golden:
        yield "Golden test of the new version", _lines([str(report.golden["record"])])
    if report.predictions:
        yield "Predictions: boto3's invoke_endpoint, on rows that training never saw", _predictions(report)


def _table(*columns: str) -> Table:
    """Names to the left, figures to the right, and no more ink than that."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in columns:
        is_figure = column in {"resources", "seconds", "probability", "ms", "row"}
        table.add_column(column, justify="right" if is_figure else "left", overflow="fold", no_wrap=is_figure)
    return table


def _lines(lines: list[str], style: str = "") -> Padding:
    return Padding("\n".join(escape(line) for line in lines), _INDENT, style=style)


def _stacks(report: DemoReport) -> Table:
    table = _table("stack", "resources", "seconds")
    for stack in report.stacks:
        table.add_row(stack.name, str(stack.resources), f"{stack.seconds:.1f}")
    table.add_section()
    resources, seconds = (sum(getattr(stack, name) for stack in report.stacks) for name in ("resources", "seconds"))
    table.add_row("all", str(resources), f"{seconds:.1f}", style="bold")
    return table


def _execution(execution: ExecutionReport) -> Table:
    """A bar for each state; a state that was visited again counts in its first line."""
    table = _table("state", "seconds", "")
    states = _gathered(execution.states)
    longest = max((seconds for _, seconds in states), default=0.0)
    for name, seconds in states:
        bar = "━" * round(_BAR_WIDTH * seconds / longest) if longest else ""
        table.add_row(name, f"{seconds:.1f}", f"[cyan]{bar}[/]")
    table.add_section()
    style = "bold green" if execution.status == "SUCCEEDED" else "bold red"
    reason = escape(f"{execution.error}: {execution.cause}") if execution.error else ""
    table.add_row(f"[{style}]{execution.status}[/]", f"{execution.seconds:.1f}", reason)
    return table


def _gathered(states: tuple[StateReport, ...]) -> list[tuple[str, float]]:
    visits: dict[str, list[float]] = {}
    for state in states:
        visits.setdefault(state.name, []).append(state.seconds)
    return [(f"{name} x {len(each)}" if len(each) > 1 else name, sum(each)) for name, each in visits.items()]


def _model(model: ModelReport) -> Padding:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    table.add_row("approval", escape(f"{model.approval}: {model.approval_reason or ''}"))
    table.add_row("life cycle", model.life_cycle or "")
    table.add_row("on the holdout", ", ".join(f"{name} {value:.4f}" for name, value in model.metrics.items()))
    for name, text in model.lineage.items():
        table.add_row(name.replace("_", " "), escape(_shortened(text)))
    return Padding(table, _INDENT)


def _shortened(text: str) -> str:
    """A digest's beginning; the whole of it is in the JSON report."""
    is_digest = len(text) == _DIGEST_LENGTH and text.isalnum()
    return f"{text[:_DIGEST_SHOWN]}…" if is_digest else text


def _predictions(report: DemoReport) -> Table:
    table = _table("row", "predicted", "probability", "truth", "ms", "variant")
    for one in report.predictions:
        agrees = "green" if one.predicted == one.truth else "red"
        predicted = f"[{agrees}]{escape(one.predicted)}[/]"
        figures = f"{one.probability:.3f}", f"{one.milliseconds:.1f}"
        table.add_row(str(one.row), predicted, figures[0], escape(one.truth), figures[1], one.variant)
    if report.holdout_accuracy is not None:
        table.add_section()
        table.add_row("all", f"{report.holdout_accuracy:.1%} right", style="bold")
    return table
