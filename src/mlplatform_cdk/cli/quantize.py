"""``mlplatform quantize``: int8 and fp16 beside fp32 in one archive, where they hold the accuracy and pay."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.cli.console import ERR, CommandFailed, check_place, write
from mlplatform_cdk.runtimekit.errors import KnownError


class Target(StrEnum):
    """A precision to make."""

    INT8 = "int8"
    FP16 = "fp16"


def quantize(
    model: Annotated[Path, typer.Argument(help="The model: a folder with manifest.json, or its .tar.gz.")],
    calibration: Annotated[
        Path, typer.Option(help="Rows as the model takes them: .npz, .npy, .csv, or a dataset's folder.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The new model; default: beside the old one, .quantized.")
    ] = None,
    precision: Annotated[
        list[Target] | None, typer.Option(help="int8 (CPUs), fp16 (GPUs); may be given twice; default: int8.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="How much accuracy may be lost, as a share.")] = 0.01,
    seconds: Annotated[float, typer.Option(help="How long to search for layers that must stay in fp32.")] = 300.0,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file, as JSON.")] = None,
) -> None:
    """Make a model smaller and faster within an accuracy tolerance, and say which layers could not follow."""
    from rich.markup import escape

    from mlplatform_cdk.serving.quantize import Wanted
    from mlplatform_cdk.serving.quantize import quantize as run
    from mlplatform_cdk.serving.quantize.archive import beside

    target = output or beside(model, "quantized")
    check_place(report, target, model, calibration)
    try:
        wanted = Wanted(
            precisions=tuple(dict.fromkeys(one.value for one in precision or [Target.INT8])),
            tolerance=tolerance,
            seconds=seconds,
        )
        with ERR.status("reading the model …") as status:
            result = run(model, calibration, target, wanted, progress=lambda text: status.update(f"{escape(text)} …"))
    except (KnownError, OSError) as problem:
        raise CommandFailed(str(problem)) from problem
    if report:
        write(report, result.to_json())
    typer.echo("\n".join(result.lines()))
    typer.echo(f"written: {target}")
