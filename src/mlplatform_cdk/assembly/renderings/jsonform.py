"""The report for programs; ``report.schema.json`` beside this file says what each member means."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.findings import Severity

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.findings import Finding, Report

VERSION = 1
SCHEMA = Path(__file__).with_name("report.schema.json")


def render_json(report: Report) -> str:
    """The report as JSON, which ``report.schema.json`` describes."""
    return json.dumps(as_document(report), indent=2) + "\n"


def as_document(report: Report) -> dict[str, Any]:
    """The report as plain lists and mappings, members without a value left out."""
    return {
        "version": VERSION,
        "verb": report.verb,
        "subject": report.subject,
        "summary": list(report.summary),
        "counts": {
            **{severity.value: report.count(severity) for severity in Severity},
            "accepted": len(report.accepted),
        },
        "findings": [_finding(finding) for finding in report.findings],
        "accepted": [
            {
                "finding": _finding(one.finding),
                "reason": one.reason,
                "source": one.source,
                **({"expires": one.expires} if one.expires else {}),
            }
            for one in report.accepted
        ],
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "columns": list(table.columns),
                "rows": list(map(list, table.rows)),
            }
            for table in report.tables
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    members = {
        **asdict(finding),
        "severity": finding.severity.value,
        "tools": list(finding.tools),
        "aliases": list(finding.aliases),
    }
    return {name: value for name, value in members.items() if value or name in {"rule", "severity", "message"}}
