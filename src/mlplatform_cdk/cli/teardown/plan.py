"""``mlplatform teardown plan``: read before ``cdk destroy``, from the assembly alone."""

from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.cli.console import OUT, CommandFailed


def plan(
    assembly: Annotated[Path, typer.Argument(help="The cloud assembly, as cdk synth makes it.")] = Path("cdk.out"),
    usage: Annotated[Path | None, typer.Option(help="A month's use: a YAML file; see docs/cost.md.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Tell in which order the stacks go, what they take away, and what stays: by name, with its reason and price."""
    from mlplatform_cdk.assembly import read, teardown
    from mlplatform_cdk.assembly.cost import Usage, packaged, read_usage

    try:
        found = teardown.plan(read(assembly), packaged(), read_usage(usage) if usage else Usage())
    except AssemblyError as problem:
        raise CommandFailed(str(problem)) from problem
    if as_json:
        typer.echo(teardown.as_json(found), nl=False)
    else:
        teardown.print_plan(found, OUT)
