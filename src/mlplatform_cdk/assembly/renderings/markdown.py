"""The report as a comment on a pull request: one screen first, every detail folded below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.findings import Severity, by_rule
from mlplatform_cdk.assembly.renderings.comments import fitted, flat, folded, folded_table, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlplatform_cdk.assembly.findings import Accepted, Finding, Report

_SENTENCE = 300  # characters of a message on the first screen: cfn-lint lists every value that it would accept
_ROWS = 20  # of the table on the first screen
_MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.INFO: "⚪"}


def render_markdown(report: Report) -> str:
    """The report as GitHub-flavoured Markdown, short enough for one comment."""
    return fitted([*_first_screen(report), *_details(report)])


def _first_screen(report: Report) -> Iterator[str]:
    yield f"### mlplatform {report.verb}: {headline(report)}\n"
    if report.summary:
        yield "".join(f"{flat(line)}\n" for line in report.summary)
    if report.findings:
        every = list(_rules(report))
        rows = [(_MARKS[rule[0].severity], name, str(len(rule)), _said(rule)) for name, rule in every[:_ROWS]]
        if more := every[_ROWS:]:
            rows.append(("", f"{len(more)} more", str(sum(len(rule) for _, rule in more)), "folded below"))
        yield rows_of(("", "rule", "places", "what"), rows)


def _said(findings: Sequence[Finding]) -> str:
    """The example of a rule, with its place where it speaks of that one."""
    alike = len(findings) > 1 and len({finding.message for finding in findings}) == 1
    return example(findings) if alike else f"{findings[0].where}: {example(findings)}"


def _details(report: Report) -> Iterator[str]:
    for name, findings in _rules(report):
        yield folded(f"{_MARKS[findings[0].severity]} {name} ({len(findings)})", "\n".join(map(_item, findings)))
    for table in report.tables:
        yield folded_table(table)
    if report.accepted:
        yield folded(f"accepted ({len(report.accepted)})", _accepted(report.accepted))


def headline(report: Report) -> str:
    """How many of each kind, in words."""
    counts = [(report.count(severity), severity.value) for severity in Severity]
    named = [f"{count} {name}{'' if count == 1 or name == 'info' else 's'}" for count, name in counts if count]
    if report.accepted:
        named.append(f"{len(report.accepted)} accepted")
    return ", ".join(named) or "nothing found"


def example(findings: Sequence[Finding]) -> str:
    """What a rule says: its message where all findings share it, else the first of them."""
    first = findings[0].message
    said = first if len(first) <= _SENTENCE else f"{first[:_SENTENCE]}…"
    return said if all(finding.message == first for finding in findings) else f"{said}; and others"


def _rules(report: Report) -> Iterable[tuple[str, Sequence[Finding]]]:
    return by_rule(report.findings).items()


def _item(finding: Finding) -> str:
    detail = finding.rule.removeprefix(finding.family)
    lines = [f"- `{flat(finding.where)}`{_at(finding)} {flat(detail)}: {flat(finding.message)}".replace(" :", ":")]
    if finding.reason:
        lines.append(f"  - why: {flat(finding.reason)}")
    if finding.way_out:
        lines.append(f"  - way out: {flat(finding.way_out)}")
    named = ", ".join(finding.tools) + (f" ([more]({finding.url}))" if finding.url else "")
    if named:
        lines.append(f"  - by {named.strip()}" if finding.tools else f"  - {named.strip()}")
    return "\n".join(lines)


def _at(finding: Finding) -> str:
    return f" `{flat(finding.property_path)}`" if finding.property_path else ""


def _accepted(every: Iterable[Accepted]) -> str:
    rows = ((one.finding.rule, f"`{flat(one.finding.where)}`", one.reason, one.expires or "never") for one in every)
    return rows_of(("rule", "where", "reason", "expires"), rows)
