"""Tells people of backups, copies and restores that came to nothing."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import acknowledge, dead_letters_of
from mlplatform_cdk.resilience.backups.vault import BackupVault

_LOST = ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]
_FIELD = events.EventField.from_path


class BackupFailures(Construct):
    """Rules on the events of a vault and of the region's restores.

    Not the vault's own notifications: those say of a job that it ended, rarely how, and need a statement in the key's
    policy for AWS Backup, where EventBridge has one.

    AWS Backup sends events as well as it can, every five minutes, and promises none: who must know of each backup
    looks at its jobs.
    Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html and
    https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-backup.html

    :param vault: whose backups and copies are watched; of restores, all of the region's are.
    :param topic: where it is told; a topic of another stack must let EventBridge in itself.
    """

    def __init__(self, scope: Construct, id: str, *, vault: BackupVault, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        self._dead = dead_letters_of(self)
        acknowledge(self._dead, {"AwsSolutions-SQS3": "it is one; the rule does not look at EventBridge's targets"})
        # What ends a job is its `state`, and of a restore its `status`.
        self._define(topic, "Backup", {"state": _LOST, "backupVaultArn": [vault.vault_arn]})
        self._define(topic, "Copy", {"state": _LOST, "sourceBackupVaultArn": [vault.vault_arn]})
        self._define(topic, "Restore", {"status": _LOST})

    def _define(self, topic: sns.ITopic, kind: str, detail: dict[str, list[str]]) -> None:
        ended = _FIELD("$.detail.status" if "status" in detail else "$.detail.state")
        events.Rule(
            self,
            kind,
            description=f"A {kind.lower()} job of AWS Backup came to nothing",
            event_pattern=events.EventPattern(
                source=["aws.backup"], detail_type=[f"{kind} Job State Change"], detail=detail
            ),
            targets=[
                targets.SnsTopic(
                    topic,
                    dead_letter_queue=self._dead,
                    message=events.RuleTargetInput.from_text(
                        f"AWS Backup, {_FIELD('$.region')}: a {kind.lower()} job ended as {ended} "
                        f"({_FIELD('$.detail.resourceType')}): {_FIELD('$.detail.statusMessage')}"
                    ),
                )
            ],
        )
