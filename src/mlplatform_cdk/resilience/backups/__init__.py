"""Backups that outlive their region, that nobody deletes before their time, and that are known to restore."""

from mlplatform_cdk.resilience.backups.construct import Backups
from mlplatform_cdk.resilience.backups.protected import BackedUpTag
from mlplatform_cdk.resilience.backups.restore_test import RestoreTest
from mlplatform_cdk.resilience.backups.rules import BackupRule, VaultLock, VaultPlan
from mlplatform_cdk.resilience.backups.vault import BackupVault

__all__ = ["BackedUpTag", "BackupRule", "BackupVault", "Backups", "RestoreTest", "VaultLock", "VaultPlan"]
