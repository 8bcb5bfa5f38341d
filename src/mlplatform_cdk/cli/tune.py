"""``mlplatform tune``: which engine, precision, batches and processes serve a model best on this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed, check_place, write
from mlplatform_cdk.runtimekit.errors import KnownError

if TYPE_CHECKING:
    from mlplatform_cdk.serving.tune import Tuning


def tune(
    model: Annotated[Path, typer.Argument(help="The model: a folder with manifest.json, or its .tar.gz.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The new model; default: beside the old one, .tuned.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="About how long to measure.")] = 60.0,
    report: Annotated[Path | None, typer.Option(help="Write what was measured to this file, as JSON.")] = None,
) -> None:
    """Measure how a model is served best on a machine like this one, and write that into its manifest."""
    from rich.markup import escape

    from mlplatform_cdk.serving.quantize.archive import beside
    from mlplatform_cdk.serving.tune import tune as run

    target = output or beside(model, "tuned")
    check_place(report, target, model)
    try:
        with ERR.status("reading the model …") as status:
            result = run(model, target, seconds=seconds, progress=lambda text: status.update(f"{escape(text)} …"))
    except (KnownError, OSError) as problem:
        raise CommandFailed(str(problem)) from problem
    if report:
        write(report, json.dumps(asdict(result), indent=1, sort_keys=True) + "\n")
    _show(result)
    typer.echo(f"written: {target}")


def _show(result: "Tuning") -> None:
    from rich.table import Table

    engines = Table("engine", "precision", "lanes", "threads", "batch", "rows/s", "ms a batch", title=result.processor)
    for one in result.computed:
        measured = (f"{one.rows_per_second:.0f}", f"{one.milliseconds:.3g}")
        engines.add_row(one.engine, one.precision, *map(str, (one.lanes, one.threads, one.batch)), *measured)
    OUT.print(engines)
    container = Table("the container with", "batch", "delay ms", "processes", "requests/s", "p50 ms", "p99 ms")
    for each in result.served:
        container.add_row(
            each.changed or "the best engine",
            str(each.max_batch_size),
            f"{each.max_batch_delay_ms:g}",
            str(each.processes),
            f"{each.requests_per_second:.0f}",
            f"{each.p50_ms:.3g}",
            f"{each.p99_ms:.3g}",
        )
    OUT.print(container)
    for line in (*result.reasons, *(f"not tried: {one}" for one in result.skipped)):
        typer.echo(line)
    kept = {name: value for name, value in asdict(result.serving).items() if value is not None}
    typer.echo(f"manifest.serving of {result.model_name}: {json.dumps(kept)}")
