"""What stands when something breaks: backups in other regions, and one view over all of them."""

from mlplatform_cdk.resilience.backups import (
    BackedUpTag,
    BackupRule,
    Backups,
    BackupVault,
    RestoreTest,
    VaultLock,
    VaultPlan,
)
from mlplatform_cdk.resilience.observability import (
    AllRegionsAlarm,
    CrossRegionObservability,
    ObservabilityLink,
    ObservabilitySink,
    PagerDuty,
    RegionAlarm,
    SharedWithMonitoring,
    SlackChannel,
)

__all__ = [
    "AllRegionsAlarm",
    "BackedUpTag",
    "BackupRule",
    "BackupVault",
    "Backups",
    "CrossRegionObservability",
    "ObservabilityLink",
    "ObservabilitySink",
    "PagerDuty",
    "RegionAlarm",
    "RestoreTest",
    "SharedWithMonitoring",
    "SlackChannel",
    "VaultLock",
    "VaultPlan",
]
