"""When a difference should stop a pipeline."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplatform_cdk.assembly.diff.model import AssemblyDiff
    from mlplatform_cdk.assembly.findings import Finding, Report

_REPLACES = {"replaced", "moved", "moved-across-stacks", "endpoint-replaced"}


class Gate(StrEnum):
    """What makes the command fail, as long as nobody acknowledged it.

    ``danger``: any finding above information; ``replace``: any resource made anew; ``iam``: any permission that is new
    or wider; ``any``: any difference, acknowledged or not.
    """

    DANGER = "danger"
    REPLACE = "replace"
    IAM = "iam"
    ANY = "any"


def closed(gates: Iterable[Gate], diff: AssemblyDiff, report: Report) -> tuple[Gate, ...]:
    """The gates that the difference does not pass."""
    return tuple(gate for gate in dict.fromkeys(gates) if _stops(gate, diff, report))


def _stops(gate: Gate, diff: AssemblyDiff, report: Report) -> bool:
    if gate is Gate.ANY:
        return not diff.is_empty
    return any(_concerns(gate, finding) for finding in report.findings)


def _concerns(gate: Gate, finding: Finding) -> bool:
    match gate:
        case Gate.REPLACE:
            return finding.rule in _REPLACES
        case Gate.IAM:
            return finding.rule.startswith("permission-")
        case _:
            return finding.severity is not Severity.INFO
