"""What a reviewer should stop at: each danger with its reason and its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.dangers.capacity import jumps, limits
from mlplatform_cdk.assembly.diff.dangers.cases import in_each_case
from mlplatform_cdk.assembly.diff.dangers.departures import departures
from mlplatform_cdk.assembly.diff.dangers.expiry import shortened
from mlplatform_cdk.assembly.diff.dangers.features import refused
from mlplatform_cdk.assembly.diff.dangers.firewalls import unshielded
from mlplatform_cdk.assembly.diff.dangers.network import exposed
from mlplatform_cdk.assembly.diff.dangers.permissions import permissions
from mlplatform_cdk.assembly.diff.dangers.presence import conditional
from mlplatform_cdk.assembly.diff.dangers.protection import weakened
from mlplatform_cdk.assembly.diff.dangers.safety_nets import unguarded
from mlplatform_cdk.assembly.findings import Finding, in_order

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff.model import AssemblyDiff

_OF_STACKS = (departures, conditional, permissions, limits)
_OF_CASES = (refused, weakened, shortened, unguarded, exposed, unshielded, jumps)
RULES = (
    "capacity-jump",
    "data-lost",
    "data-orphaned",
    "encryption-removed",
    "endpoint-replaced",
    "logging-removed",
    "moved",
    "moved-across-stacks",
    "network-exposed",
    "permission-new",
    "permission-widened",
    "protection-weakened",
    "replaced",
    "retention-weakened",
    "stack-abandoned",
    "stack-near-limit",
    "update-refused",
)


def dangers(diff: AssemblyDiff) -> tuple[Finding, ...]:
    """Every danger of the difference, the worst first."""
    found: list[Finding] = []
    for stack in diff.stacks:
        cases = in_each_case(stack)
        found += [finding for judge in _OF_STACKS for finding in judge(stack)]
        found += [finding for judge in _OF_CASES for finding in judge(cases)]
    return in_order(dict.fromkeys(found))


__all__ = ["RULES", "dangers"]
