"""What stands when something breaks: backups in other regions, one view over all of them, and drills.

Its constructs are imported when first asked for: an app that tears down loads no backups and no drills.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "AllRegionsAlarm": "observability",
    "ApiThrottled": "chaos",
    "Approval": "runbooks",
    "BackedUpTag": "backups",
    "BackupRule": "backups",
    "BackupVault": "backups",
    "Backups": "backups",
    "CapacityLost": "chaos",
    "ChaosExperiments": "chaos",
    "CrossRegionObservability": "observability",
    "EndpointStopped": "chaos",
    "Fault": "chaos",
    "GameDay": "game_day",
    "InterfaceEndpointLost": "chaos",
    "LambdaErrors": "chaos",
    "LambdaLatency": "chaos",
    "NetworkLatency": "chaos",
    "ObservabilityLink": "observability",
    "ObservabilitySink": "observability",
    "PagerDuty": "observability",
    "RegionAlarm": "observability",
    "RestorableTable": "runbooks",
    "RestoreTest": "backups",
    "Runbook": "runbooks",
    "Runbooks": "runbooks",
    "SharedWithMonitoring": "observability",
    "SlackChannel": "observability",
    "Teardown": "teardown",
    "VaultLock": "backups",
    "VaultPlan": "backups",
    "ZoneLost": "chaos",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
