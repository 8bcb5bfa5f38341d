"""The report of a release, for people."""

from mlplatform_cdk.release.report.construct import ReleaseReport

__all__ = ["ReleaseReport"]
