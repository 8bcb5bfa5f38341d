"""The report as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlplatform_cdk.assembly.findings import Severity, by_rule

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.findings import Accepted, Finding, Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(report: Report) -> str:
    """The report as a SARIF log with one run; accepted findings are in it, suppressed."""
    every = [*report.findings, *(one.finding for one in report.accepted)]
    rules = [_rule(rule, findings[0]) for rule, findings in by_rule(every).items()]
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": f"mlplatform {report.verb}", "rules": rules}},
                "results": [
                    *(_result(finding) for finding in report.findings),
                    *(_suppressed(accepted) for accepted in report.accepted),
                ],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: str, example: Finding) -> dict[str, Any]:
    described: dict[str, Any] = {"id": rule, "shortDescription": {"text": example.reason or example.message}}
    if example.url:
        described["helpUri"] = example.url
    if example.way_out:
        described["help"] = {"text": example.way_out}
    return described


def _result(finding: Finding) -> dict[str, Any]:
    text = finding.message + (f"; {finding.way_out}" if finding.way_out else "")
    location: dict[str, Any] = {
        # A host shows only results with a file; a template has no line that a person wrote.
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.file or "manifest.json"), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 1},
        },
        "logicalLocations": [
            {"name": finding.logical_id or finding.stack or "assembly", "fullyQualifiedName": finding.where}
        ],
    }
    return {
        "ruleId": finding.family,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.where}: {text}"},
        "locations": [location],
        "partialFingerprints": {"mlplatform/v1": _fingerprint(finding)},
        **({"properties": {"tools": list(finding.tools)}} if finding.tools else {}),
    }


def _suppressed(accepted: Accepted) -> dict[str, Any]:
    suppression = {"kind": "external", "status": "accepted", "justification": accepted.reason}
    return {**_result(accepted.finding), "suppressions": [suppression]}


def _fingerprint(finding: Finding) -> str:
    """Stays as it is when other findings come and go."""
    text = f"{finding.rule}\n{finding.where}\n{finding.property_path}\n{finding.message}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
