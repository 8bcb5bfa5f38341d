"""Where a region's backups lie, and what keeps them there."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_backup as backup
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, arn_of, is_known, key_arn, region_of
from mlplatform_cdk.resilience.backups.rules import VaultPlan


class BackupVault(Construct):
    """A region's vault: encrypted by a key of the customer's, and locked.

    Copies from other regions come here by the vault's name, which the plan gives; the key must outlive the backups.

    :param plan: the vaults' name and regions, and their lock.
    :param key: encrypts the backups of DynamoDB, EFS and S3, whatever encrypts the originals.
        Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
    :param removal_policy: what happens to the vault when its stack goes; a vault that holds backups is never deleted;
        default: it is kept.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: VaultPlan,
        key: kms.IKey,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        region = region_of(self)
        if is_known(region) and region not in plan.regions:
            raise ConfigurationError(
                self, f"a vault's region must be one of the plan's ({', '.join(plan.regions)}), got {region}"
            )
        self.plan, self.key = plan, key
        lock = plan.lock
        resource = backup.CfnBackupVault(
            self,
            "Resource",
            backup_vault_name=plan.name,
            encryption_key_arn=key_arn(key),
            lock_configuration=backup.CfnBackupVault.LockConfigurationTypeProperty(
                min_retention_days=lock.shortest.days,
                max_retention_days=None if lock.longest is None else lock.longest.days,
                changeable_for_days=None if lock.grace is None else lock.grace.days,
            ),
        )
        resource.apply_removal_policy(removal_policy)
        self.vault_name, self.vault_arn = resource.ref, resource.attr_backup_vault_arn

    def arn_in(self, region: str) -> str:
        """The ARN of the plan's vault in another of its regions."""
        if region not in self.plan.regions:
            regions = ", ".join(self.plan.regions)
            raise ConfigurationError(self, f"region must be one of the plan's ({regions}), got {region!r}")
        return arn_of(self, "backup", f"backup-vault:{self.plan.name}", region=region)
