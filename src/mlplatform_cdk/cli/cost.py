"""``mlplatform cost``: what an assembly costs by standing and by use, and what a change does to that."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.cli.console import ERR, CommandFailed, tell

if TYPE_CHECKING:
    from rich.console import Console

    from mlplatform_cdk.assembly.cost import Delta, Estimate, PriceBook


class Format(StrEnum):
    """What the estimate is for."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


def cost(
    assembly: Annotated[Path, typer.Argument(help="The cloud assembly, as cdk synth makes it.")] = Path("cdk.out"),
    against: Annotated[Path | None, typer.Option(help="Another assembly: tell the difference from it.")] = None,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", help="Compare stages of two names: MlPlatform-Dev=MlPlatform-Prod.")
    ] = None,
    usage: Annotated[Path | None, typer.Option(help="A month's use: a YAML file; see docs/cost.md.")] = None,
    prices: Annotated[Path | None, typer.Option(help="Prices that come before those of the package.")] = None,
    live: Annotated[bool, typer.Option(help="Ask AWS's Pricing API; needs credentials.")] = False,
    region: Annotated[str, typer.Option(help="Prices the stacks that name no region.")] = "us-east-1",
    form: Annotated[Format, typer.Option("--format", "-f", help="How it is written.")] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file; the terminal keeps its own form.")
    ] = None,
    details: Annotated[bool, typer.Option(help="Every line, assumption and source.")] = False,
) -> None:
    """Price a cloud assembly: what it commits to each month, and what each unit of use costs."""
    try:
        own = _own_prices(prices)
        head, base = _estimates(assembly, against, usage, own, region)
    except AssemblyError as problem:
        raise CommandFailed(str(problem)) from problem
    if live:
        head, base = _live(head, base, own)
    _show(head, _change(head, base, pair or []), form, output, details=details)


def _own_prices(path: Path | None) -> "PriceBook":
    from mlplatform_cdk.assembly.cost import book, read_prices

    return read_prices(path) if path else book(())


def _estimates(
    assembly: Path, against: Path | None, usage: Path | None, own: "PriceBook", region: str
) -> "tuple[Estimate, Estimate | None]":
    from mlplatform_cdk.assembly import read
    from mlplatform_cdk.assembly.cost import Usage, estimate, packaged, read_usage

    prices = own.over(packaged())
    month = read_usage(usage) if usage else Usage()
    head = estimate(read(assembly), prices, month, fallback_region=region)
    base = estimate(read(against), prices, month, fallback_region=region) if against else None
    return head, base


def _live(head: "Estimate", base: "Estimate | None", own: "PriceBook") -> "tuple[Estimate, Estimate | None]":
    """The same with today's prices, which come before the packaged and after the user's own."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from mlplatform_cdk.assembly.cost import packaged, repriced
    from mlplatform_cdk.assembly.cost.live import API_REGION, live_prices

    needed = head.needed | (base.needed if base else frozenset())
    try:
        with ERR.status(f"asking for {len(needed)} prices …"):
            today = live_prices(boto3.client("pricing", region_name=API_REGION), needed)
    except (BotoCoreError, ClientError) as problem:
        raise CommandFailed(f"the Pricing API gave no prices: {problem}") from problem
    prices = own.over(today).over(packaged())
    return repriced(head, prices), repriced(base, prices) if base else None


def _change(head: "Estimate", base: "Estimate | None", pair: list[str]) -> "Delta | None":
    """The difference from base, whose stages may have other names."""
    from mlplatform_cdk.assembly.cost import delta

    pairs = {}
    for one in pair:
        here, separator, there = one.partition("=")
        if not (here and separator and there):
            raise CommandFailed(f"--pair must be name=name, got {one!r}")
        pairs[here] = there
    if base is None and pairs:
        raise CommandFailed("--pair needs --against, which names the assembly whose stages it pairs")
    try:
        return delta(base, head, pairs) if base else None
    except AssemblyError as problem:
        raise CommandFailed(str(problem)) from problem


def _show(head: "Estimate", change: "Delta | None", form: Format, output: Path | None, *, details: bool) -> None:
    from mlplatform_cdk.assembly.cost import renderings

    def show(console: "Console") -> None:
        if change:
            renderings.print_delta(change, console, details=details)
        else:
            renderings.print_estimate(head, console, details=details)

    text = None
    if form is Format.MARKDOWN:
        text = renderings.delta_as_markdown(change) if change else renderings.estimate_as_markdown(head)
    if form is Format.JSON:
        text = renderings.delta_as_json(change) if change else renderings.estimate_as_json(head)
    tell(show, text, output)
