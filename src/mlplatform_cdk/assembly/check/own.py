"""Our own checks, where no tool looks: each takes templates and yields findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlplatform_cdk.assembly.check.states.check import state_machines
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Finding


def own_findings(templates: Sequence[Template]) -> Iterator[Finding]:
    """Everything that our checks find in ``templates``."""
    for template in templates:
        yield from _of(template)


def _of(template: Template) -> Iterable[Finding]:
    yield from state_machines(template)
