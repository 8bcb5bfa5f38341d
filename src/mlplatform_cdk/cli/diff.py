"""``mlplatform diff``: what a change would do to the account, and what a reviewer should stop at."""

import datetime as dt
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlplatform_cdk.assembly.acknowledgements import Acknowledgements, read_acknowledgements
from mlplatform_cdk.assembly.diff.gates import Gate
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.findings import Report
from mlplatform_cdk.assembly.renderings import render_markdown, render_sarif
from mlplatform_cdk.cli.console import CLOSED, ERR, CommandFailed, tell
from mlplatform_cdk.cli.synth import Context

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff import AssemblyDiff


class Format(StrEnum):
    """What the report is for."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"
    SARIF = "sarif"


_RENDERINGS = {Format.MARKDOWN: render_markdown, Format.SARIF: render_sarif}
_EITHER = "a cloud assembly, or a git revision of the app in this folder."


def diff(
    base: Annotated[str, typer.Argument(help=f"What stands: {_EITHER}")],
    head: Annotated[str, typer.Argument(help=f"What would be deployed: {_EITHER}")],
    context: Context = None,
    fail_on: Annotated[
        list[Gate] | None, typer.Option("--fail-on", help="Exit with 1 on that; may be given several times.")
    ] = None,
    acknowledgements: Annotated[
        Path | None, typer.Option("--acknowledgements", "-a", help="Accepted dangers: a reviewed YAML file.")
    ] = None,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", help="Compare stages of two names: MlPlatform-Dev=MlPlatform-Prod.")
    ] = None,
    word: Annotated[
        list[str] | None, typer.Option("--word", help="Read a word of base as one of head: dev=prod.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How the report is written.")] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file; the terminal keeps its own form.")
    ] = None,
    details: Annotated[bool, typer.Option(help="Every change, place, reason and way out.")] = False,
) -> None:
    """Compare two cloud assemblies, or two revisions of the app in this folder."""
    from mlplatform_cdk.assembly.diff import closed, report_of

    pairs, words, values = (
        _named(option, given) for option, given in (("pair", pair), ("word", word), ("context", context))
    )
    try:
        accepted = read_acknowledgements(acknowledgements) if acknowledgements else Acknowledgements()
        found = _compared(base, head, values, pairs, words)
    except AssemblyError as problem:
        raise CommandFailed(str(problem)) from problem
    report = report_of(found, today=dt.datetime.now(dt.UTC).date(), acknowledgements=accepted)
    _show(found, report, form, output, details=details)
    if shut := closed(fail_on or (), found, report):
        ERR.print(f"[bold red]stopped[/] by --fail-on {', '.join(shut)}", soft_wrap=True)
        raise typer.Exit(CLOSED)


def _compared(
    base: str, head: str, context: dict[str, str], pairs: dict[str, str], words: dict[str, str]
) -> "AssemblyDiff":
    from mlplatform_cdk.assembly import read
    from mlplatform_cdk.assembly.diff import compare

    with tempfile.TemporaryDirectory(prefix="mlplatform-diff-") as folder:
        both = [read(_assembly(name, Path(folder) / side, context)) for side, name in (("base", base), ("head", head))]
        return compare(both[0], both[1], names=(base, head), pairs=pairs, words=words)


def _assembly(name: str, output: Path, context: dict[str, str]) -> Path:
    """The folder of that name where it is an assembly, else the assembly of the revision of that name."""
    from mlplatform_cdk.assembly.diff import synthesize_at
    from mlplatform_cdk.assembly.synthesize import SynthesisFailed

    folder = Path(name)
    if (folder / "manifest.json").is_file():
        return folder
    try:
        with ERR.status(f"synthesizing {name} …"):
            return synthesize_at(name, Path.cwd(), output, context=context)
    except SynthesisFailed as failure:
        raise CommandFailed(f"{name} does not synthesize: {failure}") from failure


def _named(option: str, given: list[str] | None) -> dict[str, str]:
    values = {}
    for one in given or ():
        name, separator, value = one.partition("=")
        if not (name and separator and value):
            raise CommandFailed(f"--{option} must be name=value, got {one!r}")
        values[name] = value
    return values


def _show(found: "AssemblyDiff", report: Report, form: Format, output: Path | None, *, details: bool) -> None:
    from mlplatform_cdk.assembly.diff import render_diff
    from mlplatform_cdk.assembly.diff.terminal import print_diff

    text = None
    if form is Format.JSON:
        text = render_diff(found, report)
    elif form in _RENDERINGS:
        text = _RENDERINGS[form](report)
    tell(lambda console: print_diff(found, report, console, details=details), text, output)
