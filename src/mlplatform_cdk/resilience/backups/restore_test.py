"""Whether backups can be restored, tried on a schedule: a backup that was never restored is a hope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aws_cdk import Names
from aws_cdk import aws_backup as backup
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, key_arn, service_principal
from mlplatform_cdk.resilience.backups.access import restoring
from mlplatform_cdk.resilience.backups.protected import KINDS, BackedUpTag, Kind, Protected
from mlplatform_cdk.resilience.backups.rules import wrong_schedule
from mlplatform_cdk.resilience.backups.vault import BackupVault

_HOUR = timedelta(hours=1)
_LONGEST_KEPT = 168 * _HOUR
_LONGEST_WINDOW = timedelta(days=365)
_NAME_LENGTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTest:
    """How restores are tried.

    Limits: https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html

    :param schedule: a cron expression of AWS's six fields, in UTC; default: on Sundays at 6.
    :param of_the_last: whole days of which a backup is taken, by chance, 1 to 365; default: 30 days.
    :param kept: whole hours for which what was restored stays, for somebody to look at it, up to 168; default: an hour.
    :param overrides: by kind, what AWS Backup shall not choose by itself, such as ``{"DynamoDB": {"encryptionType":
        …}}``; what it chooses: https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
    """

    schedule: str = "cron(0 6 ? * SUN *)"
    of_the_last: timedelta = timedelta(days=30)
    kept: timedelta = _HOUR
    overrides: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what AWS Backup refuses."""
        if wrong := wrong_schedule(self.schedule):
            raise ValueError(wrong)
        day = timedelta(days=1)
        if self.of_the_last % day or not day <= self.of_the_last <= _LONGEST_WINDOW:
            raise ValueError(f"of_the_last must be whole days, 1 to 365, got {self.of_the_last}")
        if self.kept % _HOUR or not _HOUR <= self.kept <= _LONGEST_KEPT:
            raise ValueError(f"kept must be whole hours, 1 to 168, got {self.kept}")
        if unknown := [kind for kind in self.overrides if kind not in KINDS]:
            raise ValueError(f"overrides must be of {', '.join(KINDS)}, got {unknown[0]!r}")


class RestoreTesting(Construct):
    """Restores a backup of each kind on a schedule, says whether it could, and takes the restored away again.

    :param vault: whose backups are tried.
    :param given: what is backed up.
    :param tag: what chose it besides; default: nothing.
    :param test: how.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vault: BackupVault,
        given: Protected,
        tag: BackedUpTag | None,
        test: RestoreTest,
    ) -> None:
        super().__init__(scope, id)
        #: Restores; what ``overrides`` asks for beyond the vault's key is granted to it.
        self.role = PlatformRole(
            self,
            "Role",
            assumed_by=service_principal("backup.amazonaws.com"),
            description="Restores backups on a schedule, to see that they can be",
            access=restoring(self, given.kinds, key=key_arn(vault.key)),
        )
        plan = backup.CfnRestoreTestingPlan(
            self,
            "Plan",
            restore_testing_plan_name=Names.unique_resource_name(
                self, max_length=_NAME_LENGTH, separator="_", allowed_special_characters="_"
            ),
            schedule_expression=test.schedule,
            recovery_point_selection=backup.CfnRestoreTestingPlan.RestoreTestingRecoveryPointSelectionProperty(
                algorithm="RANDOM_WITHIN_WINDOW",
                include_vaults=[vault.vault_arn],
                recovery_point_types=["SNAPSHOT", "CONTINUOUS"],
                selection_window_days=test.of_the_last.days,
            ),
        )
        for kind in given.kinds:
            self._define(plan, kind, given, tag, test)

    def _define(
        self,
        plan: backup.CfnRestoreTestingPlan,
        kind: Kind,
        given: Protected,
        tag: BackedUpTag | None,
        test: RestoreTest,
    ) -> None:
        named = given.arns.get(kind, ())
        by_tag = tag is not None and kind in tag.kinds
        selection = backup.CfnRestoreTestingSelection(
            self,
            kind,
            restore_testing_plan_name=plan.ref,
            restore_testing_selection_name=kind,
            protected_resource_type=kind,
            # By name or by pattern, not both: with a tag, whatever of the kind lies in the vault may be tried.
            protected_resource_arns=["*"] if by_tag else [*named],
            restore_metadata_overrides=test.overrides.get(kind),
            iam_role_arn=self.role.role_arn,
            validation_window_hours=test.kept // _HOUR,
        )
        selection.node.add_dependency(self.role.node.find_child("Permissions"))
