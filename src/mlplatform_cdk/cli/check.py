"""``mlplatform check``: one report over an assembly, from the tools that are there and from our own checks."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.assembly.acknowledgements import Acknowledgements, read_acknowledgements
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.findings import Report, Severity
from mlplatform_cdk.assembly.renderings import render_json, render_markdown, render_sarif
from mlplatform_cdk.cli.console import CLOSED, CommandFailed, tell


class Format(StrEnum):
    """What the report is for."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """From which severity on the command fails."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


_RENDERINGS: dict[Format, Callable[[Report], str]] = {
    Format.MARKDOWN: render_markdown,
    Format.JSON: render_json,
    Format.SARIF: render_sarif,
}
_FATAL = {
    FailOn.ERROR: (Severity.ERROR,),
    FailOn.WARNING: (Severity.ERROR, Severity.WARNING),
    FailOn.NEVER: (),
}


def check(
    assembly: Annotated[Path, typer.Argument(help="The cloud assembly, as cdk synth makes it.")] = Path("cdk.out"),
    acknowledgements: Annotated[
        Path | None, typer.Option("--acknowledgements", "-a", help="Accepted findings: a reviewed YAML file.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", "-p", help="The project's own rules: a Python file.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How the report is written.")] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file; the terminal keeps its own form.")
    ] = None,
    details: Annotated[bool, typer.Option(help="Every place, reason and way out.")] = False,
    fail_on: Annotated[FailOn, typer.Option(help="From which severity on to exit with 1.")] = FailOn.ERROR,
) -> None:
    """Check a cloud assembly: cfn-lint, cdk-nag's four packs, state machines, permissions, traps, quotas."""
    from mlplatform_cdk.assembly.check import check as check_assembly
    from mlplatform_cdk.assembly.check.policy import read_policy

    try:
        accepted = read_acknowledgements(acknowledgements) if acknowledgements else Acknowledgements()
        rules = [rule for path in policy or () for rule in read_policy(path)]
        report = check_assembly(assembly, acknowledgements=accepted, policies=rules)
    except AssemblyError as problem:
        raise CommandFailed(str(problem)) from problem
    _show(report, form, output, details=details)
    if any(report.count(severity) for severity in _FATAL[fail_on]):
        raise typer.Exit(CLOSED)


def _show(report: Report, form: Format, output: Path | None, *, details: bool) -> None:
    from mlplatform_cdk.assembly.renderings.terminal import print_report

    text = _RENDERINGS[form](report) if form in _RENDERINGS else None
    tell(lambda console: print_report(report, console, details=details), text, output)
