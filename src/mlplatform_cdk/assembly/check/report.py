"""Puts the one report together: every checker over every template, each fact once, what is accepted apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from mlplatform_cdk.assembly.acknowledgements import Acknowledgements
from mlplatform_cdk.assembly.check.accepted import split_by_app
from mlplatform_cdk.assembly.check.own import own_findings
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.policy import Rule
from mlplatform_cdk.assembly.check.quotas import quotas
from mlplatform_cdk.assembly.check.templates import Template, noted, templates
from mlplatform_cdk.assembly.check.tools.lint import NO_REASON
from mlplatform_cdk.assembly.check.tools.run import ToolRun, merged, require_tools
from mlplatform_cdk.assembly.findings import Accepted, Report, Table, in_order
from mlplatform_cdk.assembly.reader import read


def check(
    directory: Path,
    *,
    acknowledgements: Acknowledgements | None = None,
    policies: Sequence[Rule] = (),
    today: dt.date | None = None,
    workers: int | None = None,
) -> Report:
    """What there is to say about the assembly in ``directory``.

    :param acknowledgements: findings that the project accepts; default: none but the app's own.
    :param policies: the project's own rules; default: none.
    :param today: the day against which acknowledgements expire; default: this one.
    :param workers: processes for the tools; default: one per core.
    :raises AssemblyError: when the folder is no assembly, when a tool is not installed, or when a policy breaks.
    """
    require_tools()
    assembly = read(directory)
    looked_at = templates(assembly)
    permissions = Permissions()
    with ToolRun(looked_at, workers=workers) as tools:
        own = [*own_findings(looked_at, permissions), *noted(assembly)]
        own.extend(finding for rule in policies for template in looked_at for finding in rule.findings(template))
        said = list(tools.findings())
    ignored = tuple(
        Accepted(finding=finding, reason=reason, source=finding.file) for finding, reason in said if reason is not None
    )
    every = merged([*own, *(finding for finding, reason in said if reason is None)])
    opened, by_app = split_by_app(looked_at, every)
    day = today or dt.datetime.now(dt.UTC).date()
    opened, by_file = (acknowledgements or Acknowledgements()).split(opened, today=day)
    return Report(
        verb="check",
        subject=str(directory),
        findings=in_order(opened),
        accepted=(*by_app, *by_file, *ignored),
        summary=(_scope(looked_at, permissions), *_accepted(by_app, by_file, ignored)),
        tables=tuple(table for table in (quotas(looked_at), _unseen(permissions)) if table.rows),
    )


def _scope(looked_at: Sequence[Template], permissions: Permissions) -> str:
    resources = sum(len(one.resources) for one in looked_at)
    return (
        f"{len(looked_at)} templates with {resources} resources; "
        f"the roles of {permissions.functions} functions and {permissions.machines} state machines against their calls"
    )


def _accepted(by_app: Sequence[Accepted], by_file: Sequence[Accepted], ignored: Sequence[Accepted]) -> list[str]:
    counts = (
        (len(by_app), "accepted beside the construct"),
        (len(by_file), "accepted by the acknowledgements file"),
        (len(ignored), "accepted in the template, for cfn-lint"),
        (sum(one.reason == NO_REASON for one in ignored), "of them without a reason"),
    )
    return [f"{count} {how}" for count, how in counts if count]


def _unseen(permissions: Permissions) -> Table:
    return Table(
        title="functions whose permissions were not compared",
        columns=("function", "why"),
        rows=tuple(sorted(permissions.unseen)),
    )
