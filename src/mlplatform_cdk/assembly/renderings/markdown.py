"""The report as a comment on a pull request: one screen first, every detail folded below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.findings import Severity, by_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlplatform_cdk.assembly.findings import Accepted, Finding, Report, Table

LIMIT = 65_000  # characters; the hosts refuse comments above 65,536
_SENTENCE = 300  # characters of a message on the first screen: cfn-lint lists every value that it would accept
_ROWS = 20  # of the table on the first screen
_MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.INFO: "⚪"}


def render_markdown(report: Report) -> str:
    """The report as GitHub-flavoured Markdown, short enough for one comment."""
    blocks = [*_first_screen(report), *_details(report)]
    text = ""
    for index, block in enumerate(blocks):
        cut = f"_{len(blocks) - index} more sections do not fit in a comment: see the JSON report._\n"
        if len(text) + len(block) + len(cut) > LIMIT:
            return text + cut
        text += block + "\n"
    return text


def _first_screen(report: Report) -> Iterator[str]:
    yield f"### mlplatform {report.verb}: {headline(report)}\n"
    if report.summary:
        yield "".join(f"{_flat(line)}\n" for line in report.summary)
    if report.findings:
        every = list(_rules(report))
        rows = [(_MARKS[rule[0].severity], name, str(len(rule)), _said(rule)) for name, rule in every[:_ROWS]]
        if more := every[_ROWS:]:
            rows.append(("", f"{len(more)} more", str(sum(len(rule) for _, rule in more)), "folded below"))
        yield _table(("", "rule", "places", "what"), rows)


def _said(findings: Sequence[Finding]) -> str:
    """The example of a rule, with its place where it speaks of that one."""
    alike = len(findings) > 1 and len({finding.message for finding in findings}) == 1
    return example(findings) if alike else f"{findings[0].where}: {example(findings)}"


def _details(report: Report) -> Iterator[str]:
    for name, findings in _rules(report):
        yield _folded(f"{_MARKS[findings[0].severity]} {name} ({len(findings)})", "\n".join(map(_item, findings)))
    for table in report.tables:
        yield _folded(f"{table.title} ({len(table.rows)})", _facts(table))
    if report.accepted:
        yield _folded(f"accepted ({len(report.accepted)})", _accepted(report.accepted))


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
    lines = [f"- `{_flat(finding.where)}`{_at(finding)} {_flat(detail)}: {_flat(finding.message)}".replace(" :", ":")]
    if finding.reason:
        lines.append(f"  - why: {_flat(finding.reason)}")
    if finding.way_out:
        lines.append(f"  - way out: {_flat(finding.way_out)}")
    named = ", ".join(finding.tools) + (f" ([more]({finding.url}))" if finding.url else "")
    if named:
        lines.append(f"  - by {named.strip()}" if finding.tools else f"  - {named.strip()}")
    return "\n".join(lines)


def _at(finding: Finding) -> str:
    return f" `{_flat(finding.property_path)}`" if finding.property_path else ""


def _facts(table: Table) -> str:
    note = f"{_flat(table.note)}\n\n" if table.note else ""
    return note + _table(table.columns, table.rows)


def _accepted(every: Iterable[Accepted]) -> str:
    rows = ((one.finding.rule, f"`{_flat(one.finding.where)}`", one.reason, one.expires or "never") for one in every)
    return _table(("rule", "where", "reason", "expires"), rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_escaped(title)}</summary>\n\n{body}\n\n</details>\n"


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def _flat(text: str) -> str:
    """One line without HTML."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
