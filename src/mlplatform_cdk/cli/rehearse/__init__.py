"""``mlplatform local rehearse``: what would happen, happens here first."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Rehearse what must not go wrong in AWS, on this machine.")


@app.callback()
def rehearse() -> None:
    """Rehearse what must not go wrong in AWS, on this machine."""


@app.command()
def release(
    assembly: Annotated[
        Path | None, typer.Argument(help="The cloud assembly with the release; default: a small app of ours.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and nothing else.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report to this file as a page.")] = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", help="Rehearse this one only; may be repeated.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Whose releases, where the assembly has several endpoints.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="In which region, where the assembly releases in several.")] = None,
    rate: Annotated[float, typer.Option(min=1, max=1000, help="Requests a second, all the while.")] = 150.0,
    clock_factor: Annotated[
        float | None, typer.Option(help="How many seconds a second takes; default: windows of a few seconds.")
    ] = None,
) -> None:
    """Release good and bad versions on the embedded AWS while callers ask. Exit code 0: every scenario held."""
    from mlplatform_cdk.cli.rehearse.verb import run_rehearsal

    run_rehearsal(
        assembly,
        names=scenario,
        endpoint=endpoint,
        region=region,
        rate=rate,
        clock_factor=clock_factor,
        as_json=as_json,
        html=html,
    )


@app.command()
def regions(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and nothing else.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report to this file as a page.")] = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", help="Rehearse this one only; may be repeated.")
    ] = None,
    rate: Annotated[float, typer.Option(min=1, max=200, help="Calls a second, all the while.")] = 24.0,
    clock_factor: Annotated[
        float | None, typer.Option(min=0.05, max=1, help="How many seconds a second takes; default: 0.2.")
    ] = None,
) -> None:
    """Lose a region, make it slow and wrong, while callers ask. Exit code 0: every scenario held."""
    from mlplatform_cdk.cli.rehearse.regions_verb import run_regions

    run_regions(names=scenario, rate=rate, clock_factor=clock_factor, as_json=as_json, html=html)
