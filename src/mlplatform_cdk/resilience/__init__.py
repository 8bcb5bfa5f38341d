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

__all__ = ["BackedUpTag", "BackupRule", "BackupVault", "Backups", "RestoreTest", "VaultLock", "VaultPlan"]
