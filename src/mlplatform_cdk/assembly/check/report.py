"""Puts the one report together: every checker over every template, each fact once, what is accepted apart."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mlplatform_cdk.assembly.acknowledgements import Acknowledgements
from mlplatform_cdk.assembly.check.accepted import split_by_app
from mlplatform_cdk.assembly.check.own import own_findings
from mlplatform_cdk.assembly.check.templates import noted, templates
from mlplatform_cdk.assembly.check.tools.run import IGNORED, ToolRun, merged, require_tools
from mlplatform_cdk.assembly.findings import Accepted, Report, in_order
from mlplatform_cdk.assembly.reader import read


def check(
    directory: Path,
    *,
    acknowledgements: Acknowledgements | None = None,
    today: dt.date | None = None,
    workers: int | None = None,
) -> Report:
    """What there is to say about the assembly in ``directory``.

    :param acknowledgements: findings that the project accepts; default: none but the app's own.
    :param today: the day against which acknowledgements expire; default: this one.
    :param workers: processes for the tools; default: one per core.
    :raises AssemblyError: when the folder is no assembly, or when a tool is not installed.
    """
    require_tools()
    assembly = read(directory)
    looked_at = templates(assembly)
    with ToolRun(looked_at, workers=workers) as tools:
        own = [*own_findings(looked_at), *noted(assembly)]
        said = list(tools.findings())
    ignored = tuple(Accepted(finding=finding, reason=IGNORED, source=finding.file) for finding, out in said if out)
    every = merged([*own, *(finding for finding, out in said if not out)])
    opened, by_app = split_by_app(looked_at, every)
    opened, by_file = (acknowledgements or Acknowledgements()).split(
        opened, today=today or dt.datetime.now(dt.UTC).date()
    )
    return Report(
        verb="check",
        subject=str(directory),
        findings=in_order(opened),
        accepted=(*by_app, *by_file, *ignored),
        summary=(f"{len(looked_at)} templates, {sum(len(one.resources) for one in looked_at)} resources",),
    )
