"""What an app accepts beside its constructs: CDK's acknowledged rules, and cdk-nag 2's suppressions in templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping, mappings
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Accepted, Finding

APP = "the app's acknowledgement"


def split_by_app(
    templates: Iterable[Template], findings: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Accepted, ...]]:
    """What the app leaves open, and what it accepts with a reason."""
    by_stack = {template.stack: template for template in templates}
    opened: list[Finding] = []
    accepted: list[Accepted] = []
    for finding in findings:
        reason = _reason(by_stack.get(finding.stack), finding)
        if reason is None:
            opened.append(finding)
        else:
            accepted.append(Accepted(finding=finding, reason=reason, source=APP))
    return tuple(opened), tuple(accepted)


def _reason(template: Template | None, finding: Finding) -> str | None:
    if template is None:
        return None
    names = {finding.rule, *finding.aliases}
    for path, rule, reason in template.acknowledged:
        within = finding.construct_path == path or finding.construct_path.startswith(f"{path}/")
        if rule.removeprefix("CloudFormation-Validate::") in names and within:
            return reason
    return next(_suppressed(template, finding, names), None)


def _suppressed(template: Template, finding: Finding, names: set[str]) -> Iterator[str]:
    """cdk-nag 2 writes ``{"cdk_nag": {"rules_to_suppress": [{"id", "reason", "applies_to"}]}}`` into metadata."""
    resource = template.document.get("Resources", {}).get(finding.logical_id, {})
    for holder in (resource, template.document):
        for entry in _entries(holder):
            details = entry.get("applies_to", [])
            family = entry.get("id")
            covered = {f"{family}[{detail}]" for detail in details if isinstance(detail, str)} if details else names
            if family in {name.partition("[")[0] for name in names} and covered & names:
                yield str(entry.get("reason", "no reason is given"))


def _entries(holder: Any) -> list[Mapping[str, Any]]:
    metadata = mapping(mapping(holder).get("Metadata"))
    return mappings(mapping(metadata.get("cdk_nag")).get("rules_to_suppress"))
