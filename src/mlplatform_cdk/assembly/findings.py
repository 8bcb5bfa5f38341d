"""What a look at an assembly found, in one form for every verb, tool and rendering; diff and check share it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Severity(StrEnum):
    """How bad a finding is: an error fails the command, a warning on demand, information never."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a reviewer should know, of one resource or of a whole stack.

    :param rule: its stable id, such as ``AwsSolutions-IAM5`` or ``replaced-stateful``.
    :param message: what is so, one sentence.
    :param stack: the stack's display name, such as ``MlPlatform-Dev/Foundation``; default: the whole assembly.
    :param logical_id: the resource in the template; default: the whole stack.
    :param construct_path: the construct that made it; default: unknown, as for templates which CDK did not write.
    :param property_path: the path inside the resource, dotted; default: the whole resource.
    :param reason: why that is bad.
    :param way_out: what to do about it.
    :param url: where to read more.
    :param tools: who says so, such as ``("cdk-nag AwsSolutions", "cfn-lint")``.
    :param aliases: ids under which other tools know the rule; an acknowledgement of one of them counts.
    :param file: the template, relative to the assembly.
    """

    rule: str
    severity: Severity
    message: str
    stack: str = ""
    logical_id: str = ""
    construct_path: str = ""
    property_path: str = ""
    reason: str = ""
    way_out: str = ""
    url: str = ""
    tools: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    file: str = ""

    @property
    def where(self) -> str:
        """The best name there is of its place: the construct's path, else stack and logical id."""
        return self.construct_path or "/".join(part for part in (self.stack, self.logical_id) if part) or "assembly"

    @property
    def family(self) -> str:
        """The rule without what it was found of: ``AwsSolutions-IAM5`` of ``AwsSolutions-IAM5[Resource::*]``."""
        return self.rule.partition("[")[0]

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """Sorts the worst first, and equal runs equally."""
        return (self.severity.rank, self.family, self.where, self.property_path, f"{self.rule} {self.message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A finding that somebody looked at and let stand.

    :param reason: why it may stay.
    :param source: who said so: a file, or the construct's own acknowledgement.
    :param expires: the day from which it counts again, as ``2027-01-31``; default: never.
    """

    finding: Finding
    reason: str
    source: str
    expires: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Facts beside the findings, such as the quotas that a stack needs or the resources that change.

    :param note: a sentence above it; default: none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of a verb has to say.

    :param verb: ``check`` or ``diff``.
    :param subject: what was looked at, such as ``cdk.out``.
    :param summary: sentences for the first screen.
    :param tables: facts, folded where a rendering can fold.
    """

    verb: str
    subject: str
    findings: tuple[Finding, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    summary: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many open findings are that bad."""
        return sum(finding.severity is severity for finding in self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, each once."""
    return tuple(sorted(set(findings), key=lambda finding: finding.order))


def by_rule(findings: Iterable[Finding]) -> dict[str, Sequence[Finding]]:
    """The findings of each family of rules, the worst rules first."""
    grouped: dict[str, list[Finding]] = {}
    for finding in in_order(findings):
        grouped.setdefault(finding.family, []).append(finding)
    return dict(grouped)
