"""Our own checks, where no tool looks: each takes templates and yields findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlplatform_cdk.assembly.check.automation import alarms, automations
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.sdk_calls import sdk_calls
from mlplatform_cdk.assembly.check.states.check import state_machines
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.traps import traps
from mlplatform_cdk.assembly.findings import Finding


def own_findings(templates: Sequence[Template], permissions: Permissions) -> Iterator[Finding]:
    """Everything that our checks find in ``templates``.

    :param permissions: remembers which code was compared, and which could not be read.
    """
    for template in templates:
        yield from state_machines(template)
        yield from automations(template)
        yield from alarms(template)
        yield from sdk_calls(template)
        yield from permissions.findings(template)
        yield from traps(template)
