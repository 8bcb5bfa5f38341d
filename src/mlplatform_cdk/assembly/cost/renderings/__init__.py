"""One estimate, or the difference of two, in three forms: a terminal's screen, Markdown for a comment, JSON."""

from mlplatform_cdk.assembly.cost.renderings.jsonform import delta_as_json, estimate_as_json
from mlplatform_cdk.assembly.cost.renderings.markdown import delta_as_markdown, estimate_as_markdown
from mlplatform_cdk.assembly.cost.renderings.terminal import print_delta, print_estimate

__all__ = [
    "delta_as_json",
    "delta_as_markdown",
    "estimate_as_json",
    "estimate_as_markdown",
    "print_delta",
    "print_estimate",
]
