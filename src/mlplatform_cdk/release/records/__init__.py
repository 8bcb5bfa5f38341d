"""What is kept of every release: who did what, when and why; and where to find it."""

from mlplatform_cdk.release.records.address import publish_address
from mlplatform_cdk.release.records.construct import ReleaseRecords

__all__ = ["ReleaseRecords", "publish_address"]
