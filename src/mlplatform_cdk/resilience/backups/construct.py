"""AWS Backup's plan of a region: what, when, for how long, copied where, and who is told."""

from collections.abc import Sequence

from aws_cdk import aws_backup as backup
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, PlatformRole, is_known, key_arn, region_of, service_principal
from mlplatform_cdk.resilience.backups.access import backing_up
from mlplatform_cdk.resilience.backups.failures import BackupFailures
from mlplatform_cdk.resilience.backups.protected import BackedUpTag, Protected, protected
from mlplatform_cdk.resilience.backups.restore_test import RestoreTest, RestoreTesting
from mlplatform_cdk.resilience.backups.rules import BackupRule
from mlplatform_cdk.resilience.backups.vault import BackupVault

DAILY_AND_MONTHLY = (BackupRule.daily(), BackupRule.monthly())
_MINUTE_S = 60


class Backups(Construct):
    """Backs up tables, file systems and buckets into a vault, and copies each backup to vaults of other regions.

    The account must have AWS Backup turned on for these services in the region, with the advanced features of DynamoDB,
    which CloudFormation cannot set:
    ``aws backup update-region-settings --resource-type-opt-in-preference DynamoDB=true,EFS=true,S3=true
    --resource-type-management-preference DynamoDB=true``.
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html

    Copies stay within the account; a copy of a continuous backup is a snapshot.
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery-copying.html

    :param vault: where the backups go.
    :param rules: when, and for how long; default: each night for 35 days, each month for a year.
    :param tables: of DynamoDB; default: none.
    :param file_systems: of EFS; default: none.
    :param buckets: versioned, with ``event_bridge_enabled``; default: none.
    :param tag: whatever bears it is backed up as well; default: nothing.
    :param copy_to: regions of the vault's plan that get a copy of each backup; default: none.
    :param notifications: where it is told that a backup, a copy or a restore came to nothing.
    :param restore_test: tries restores on a schedule; default: nobody does.
    """

    def __init__(  # noqa: PLR0913 - three kinds of what is backed up
        self,
        scope: Construct,
        id: str,
        *,
        vault: BackupVault,
        rules: Sequence[BackupRule] = DAILY_AND_MONTHLY,
        tables: Sequence[dynamodb.ITable] = (),
        file_systems: Sequence[efs.IFileSystem] = (),
        buckets: Sequence[s3.IBucket] = (),
        tag: BackedUpTag | None = None,
        copy_to: Sequence[str] = (),
        notifications: sns.ITopic,
        restore_test: RestoreTest | None = None,
    ) -> None:
        super().__init__(scope, id)
        given = protected(self, tables=tables, file_systems=file_systems, buckets=buckets, tag=tag)
        copies = self._copies(vault, copy_to)
        self._check(rules, vault, given, copied=bool(copies))
        self.role = PlatformRole(
            self,
            "Role",
            assumed_by=service_principal("backup.amazonaws.com"),
            description="Backs up what a plan of AWS Backup names, and copies the backups",
            access=backing_up(self, given, vault=vault.vault_arn, key=key_arn(vault.key), copies=copies),
        )
        plan = backup.CfnBackupPlan(
            self,
            "Plan",
            backup_plan=backup.CfnBackupPlan.BackupPlanResourceTypeProperty(
                backup_plan_name=vault.plan.name,
                backup_plan_rule=[_rule(one, vault, [*copies.values()]) for one in rules],
            ),
        )
        self.plan_id = plan.ref
        self._define_selections(given, tag)
        BackupFailures(self, "Failures", vault=vault, topic=notifications)
        #: The tests of restores, if there are any.
        self.restore_testing = (
            None
            if restore_test is None
            else RestoreTesting(self, "RestoreTesting", vault=vault, given=given, tag=tag, test=restore_test)
        )

    def _copies(self, vault: BackupVault, copy_to: Sequence[str]) -> dict[str, str]:
        if isinstance(copy_to, str):
            raise ConfigurationError(self, f"copy_to must be a list, got {copy_to!r}; try [{copy_to!r}]")
        here = region_of(self)
        if is_known(here) and here in copy_to:
            raise ConfigurationError(self, f"copy_to must name other regions, got {here}")
        return {region: vault.arn_in(region) for region in copy_to}

    def _check(self, rules: Sequence[BackupRule], vault: BackupVault, given: Protected, *, copied: bool) -> None:
        names = [one.name for one in rules]
        if not names or len({*names}) < len(names):
            raise ConfigurationError(self, f"rules must have names of their own, got {', '.join(names) or 'none'}")
        for one in rules:
            if wrong := vault.plan.lock.refuses(one.keep):
                raise ConfigurationError(self, f"keep of {one.name!r} {wrong}")
            if copied and (wrong := vault.plan.lock.refuses(one.copies_kept)):
                raise ConfigurationError(self, f"keep_copies of {one.name!r} {wrong}")
            if one.continuous and "S3" not in given.kinds:
                raise ConfigurationError(
                    self,
                    f"the rule {one.name!r} must have buckets to be continuous, got none; tables do it by themselves, "
                    "and file systems not at all",
                )

    def _define_selections(self, given: Protected, tag: BackedUpTag | None) -> None:
        """One selection of what is named, and one of what bears the tag: in one, both would have to hold."""
        chosen = backup.CfnBackupSelection.BackupSelectionResourceTypeProperty
        made = []
        if named := [arn for kind in given.kinds for arn in given.arns.get(kind, ())]:
            made.append(("Named", chosen(selection_name="named", iam_role_arn=self.role.role_arn, resources=named)))
        if tag is not None:
            bears = {"StringEquals": [{"ConditionKey": f"aws:ResourceTag/{tag.key}", "ConditionValue": tag.value}]}
            made.append(
                (
                    "Tagged",
                    chosen(
                        selection_name="tagged",
                        iam_role_arn=self.role.role_arn,
                        resources=[*given.patterns.values()],
                        conditions=bears,
                    ),
                )
            )
        for id_, selection in made:
            resource = backup.CfnBackupSelection(self, id_, backup_plan_id=self.plan_id, backup_selection=selection)
            # What the role may do is a resource of its own, which the first backup must not come before.
            resource.node.add_dependency(self.role.node.find_child("Permissions"))


def _rule(
    rule: BackupRule, vault: BackupVault, copies: Sequence[str]
) -> backup.CfnBackupPlan.BackupRuleResourceTypeProperty:
    cold = None if rule.cold_after is None else rule.cold_after.days
    life = backup.CfnBackupPlan.LifecycleResourceTypeProperty
    copied = life(delete_after_days=rule.copies_kept.days, move_to_cold_storage_after_days=cold)
    return backup.CfnBackupPlan.BackupRuleResourceTypeProperty(
        rule_name=rule.name,
        target_backup_vault=vault.vault_name,
        schedule_expression=rule.schedule,
        lifecycle=life(delete_after_days=rule.keep.days, move_to_cold_storage_after_days=cold),
        enable_continuous_backup=rule.continuous,
        start_window_minutes=rule.start_within.total_seconds() // _MINUTE_S,
        completion_window_minutes=rule.complete_within.total_seconds() // _MINUTE_S,
        copy_actions=[
            backup.CfnBackupPlan.CopyActionResourceTypeProperty(destination_backup_vault_arn=arn, lifecycle=copied)
            for arn in copies
        ]
        or None,
    )
