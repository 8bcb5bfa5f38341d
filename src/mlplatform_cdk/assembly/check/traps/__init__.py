"""What the field has already paid for, where a template shows it; docs/check.md lists who looks for which trap."""

from __future__ import annotations

from collections.abc import Iterator

from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.traps import endpoints, lifecycle, limits, names, synthesis, updates
from mlplatform_cdk.assembly.findings import Finding

_ROOMS = (synthesis.RULES, names.RULES, endpoints.RULES, updates.RULES, limits.RULES, lifecycle.RULES)


def traps(template: Template) -> Iterator[Finding]:
    """Every trap that ``template`` walks into."""
    for rules in _ROOMS:
        for rule in rules:
            yield from rule(template)
