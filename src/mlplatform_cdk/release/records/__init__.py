"""What is kept of every release: who did what, when and why."""

from mlplatform_cdk.release.records.construct import ReleaseRecords

__all__ = ["ReleaseRecords"]
