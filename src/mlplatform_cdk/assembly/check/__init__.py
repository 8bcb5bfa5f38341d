"""One report over any assembly: the tools that are there, and our own checks where no tool looks."""

from mlplatform_cdk.assembly.check.report import check

__all__ = ["check"]
