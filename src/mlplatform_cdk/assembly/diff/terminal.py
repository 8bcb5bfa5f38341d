"""The difference on a terminal: the report first, and on demand every change below its resource."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.markup import escape

from mlplatform_cdk.assembly.diff.model import Action
from mlplatform_cdk.assembly.diff.report import changed_values
from mlplatform_cdk.assembly.renderings.terminal import print_report

if TYPE_CHECKING:
    from rich.console import Console

    from mlplatform_cdk.assembly.diff.model import AssemblyDiff, ResourceChange, StackDiff
    from mlplatform_cdk.assembly.findings import Report

_STYLES = {
    Action.ADDED: "green",
    Action.REMOVED: "red",
    Action.REPLACED: "bold red",
    Action.MAY_BE_REPLACED: "red",
    Action.MOVED: "magenta",
    Action.CHANGED: "yellow",
}


def print_diff(diff: AssemblyDiff, report: Report, console: Console, *, details: bool = False) -> None:
    """Print the report.

    :param details: every change with its values, every danger with its reason and way out; default: one screen.
    """
    print_report(replace(report, tables=()), console, details=details)
    for stack in diff.stacks if details else ():
        console.print(f"\n[bold]{escape(stack.key)}[/]", soft_wrap=True)
        _print_stack(stack, console)


def _print_stack(stack: StackDiff, console: Console) -> None:
    for change in stack.changes:
        if change.only_assets:
            console.print(f"  [dim]new content[/] {escape(_named(change))}", soft_wrap=True)
            continue
        style = _STYLES[change.action]
        console.print(f"  [{style}]{change.action}[/] {escape(_named(change))}", soft_wrap=True)
        for name, before, after in changed_values(change):
            values = f": [red]{escape(before)}[/] → [green]{escape(after)}[/]" if before or after else ""
            console.print(f"    {escape(name)}{values}", soft_wrap=True)
    for one in stack.sections:
        console.print(f"  [yellow]changed[/] {one.section} {escape(one.name)}", soft_wrap=True)


def _named(change: ResourceChange) -> str:
    resource = change.resource
    return f"{resource.path or resource.logical_id} ({resource.type})"
