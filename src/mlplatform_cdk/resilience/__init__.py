"""What stands when something breaks: backups in other regions, one view over all of them, and drills."""

from mlplatform_cdk.resilience.backups import (
    BackedUpTag,
    BackupRule,
    Backups,
    BackupVault,
    RestoreTest,
    VaultLock,
    VaultPlan,
)
from mlplatform_cdk.resilience.chaos import (
    ApiThrottled,
    CapacityLost,
    ChaosExperiments,
    EndpointStopped,
    Fault,
    InterfaceEndpointLost,
    LambdaErrors,
    LambdaLatency,
    NetworkLatency,
    ZoneLost,
)
from mlplatform_cdk.resilience.game_day import GameDay
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
from mlplatform_cdk.resilience.runbooks import Approval, RestorableTable, Runbook, Runbooks
from mlplatform_cdk.resilience.teardown import Teardown

__all__ = [
    "AllRegionsAlarm",
    "ApiThrottled",
    "Approval",
    "BackedUpTag",
    "BackupRule",
    "BackupVault",
    "Backups",
    "CapacityLost",
    "ChaosExperiments",
    "CrossRegionObservability",
    "EndpointStopped",
    "Fault",
    "GameDay",
    "InterfaceEndpointLost",
    "LambdaErrors",
    "LambdaLatency",
    "NetworkLatency",
    "ObservabilityLink",
    "ObservabilitySink",
    "PagerDuty",
    "RegionAlarm",
    "RestorableTable",
    "RestoreTest",
    "Runbook",
    "Runbooks",
    "SharedWithMonitoring",
    "SlackChannel",
    "Teardown",
    "VaultLock",
    "VaultPlan",
    "ZoneLost",
]
