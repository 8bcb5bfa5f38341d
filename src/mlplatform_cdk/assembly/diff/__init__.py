"""What a deployment would change: two cloud assemblies, resource by resource, and what a reviewer should stop at."""

from mlplatform_cdk.assembly.diff.assemblies import compare
from mlplatform_cdk.assembly.diff.dangers import RULES, dangers
from mlplatform_cdk.assembly.diff.gates import Gate, closed
from mlplatform_cdk.assembly.diff.jsonform import render_diff
from mlplatform_cdk.assembly.diff.model import Action, AssemblyDiff, PropertyChange, ResourceChange, StackDiff
from mlplatform_cdk.assembly.diff.report import report_of
from mlplatform_cdk.assembly.diff.revisions import synthesize_at

__all__ = [
    "RULES",
    "Action",
    "AssemblyDiff",
    "Gate",
    "PropertyChange",
    "ResourceChange",
    "StackDiff",
    "closed",
    "compare",
    "dangers",
    "render_diff",
    "report_of",
    "synthesize_at",
]
