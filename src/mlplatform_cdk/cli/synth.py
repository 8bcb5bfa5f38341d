"""``mlplatform synth``: the cloud assembly of the app in this folder, without the cdk CLI."""

from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.assembly.synthesize import SynthesisFailed, synthesize
from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed

Context = Annotated[list[str] | None, typer.Option("--context", "-c", help="A context value, as in environment=dev.")]


def synth(
    context: Context = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the assembly goes.")] = Path("cdk.out"),
    validate: Annotated[bool, typer.Option(help="Let aws-cdk-lib validate the templates (about 14 s).")] = True,
) -> None:
    """Synthesize the app of ./cdk.json."""
    OUT.print(str(assembly_of(Path.cwd(), output, context=context, validate=validate)), markup=False, soft_wrap=True)


def assembly_of(app_dir: Path, output: Path, *, context: list[str] | None, validate: bool) -> Path:
    """The assembly of the app in ``app_dir``, with the command line's way of giving context."""
    values: dict[str, str] = {}
    for pair in context or []:
        name, separator, value = pair.partition("=")
        if not separator:
            raise CommandFailed(f"--context must be name=value, got {pair!r}")
        values[name] = value
    try:
        return synthesize(app_dir, output, context=values, validate=validate)
    except SynthesisFailed as failure:
        if failure.output.strip() not in {"", str(failure)}:
            ERR.print(failure.output, markup=False, style="dim", soft_wrap=True)
        raise CommandFailed(str(failure)) from failure
