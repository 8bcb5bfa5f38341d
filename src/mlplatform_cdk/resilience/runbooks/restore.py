"""Brings a table's rows of an earlier moment into a table beside it, and back into it where somebody says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aws_cdk import aws_kms as kms

from mlplatform_cdk.core import Access, ConfigurationError, allowed, key_arn, region_of
from mlplatform_cdk.resilience.automation import Automation, Parameter, ask_api, branch, run_script, wait_for
from mlplatform_cdk.resilience.automation.documents import Step
from mlplatform_cdk.resilience.runbooks.parts import SCRIPTS, Place
from mlplatform_cdk.runtimekit.runbook_names import Runbook

_WITHIN_S = 86_400  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.Tutorial.html
_NEW = "{{ TableName }}-restored-{{ Suffix }}"
# What DynamoDB does in the caller's name on both tables:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html
_ON_TABLES = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:RestoreTableToPointInTime",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_ON_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class Table(Protocol):
    """A table by its name, such as ``ReleaseRecords`` or ``RegionalTable``."""

    table_name: str
    table_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorableTable:
    """A table that goes back to any second of the last days.

    :param table: such as ``ReleaseRecords``, ``RegionalTable`` or ``StateTable``.
    :param key: encrypts it.
    """

    table: Table
    key: kms.IKey


def restore(place: Place, *, tables: Sequence[RestorableTable]) -> Automation:
    """The runbook, for these tables of the region that it is in."""
    if not tables:
        raise ConfigurationError(place.scope, "tables must be at least one to be restored, got none")
    names = [one.table.table_name for one in tables]
    return place.define(
        Runbook.RESTORE,
        _steps(place),
        description=(
            "Restores a table to the moment `At`, as a table of its own beside it, to be looked at. With "
            "`CopyBack=missing` the rows that the table has lost are put back into it, with `all` every row as it was; "
            "rows that came later stay."
        ),
        parameters={
            "TableName": Parameter(description="Which table.", values=names),
            "Suffix": Parameter(
                description="Ends the name of the restored table, such as 20261122.", pattern="[a-zA-Z0-9-]{1,32}"
            ),
            "At": Parameter(
                description=(
                    "The moment, such as 2026-11-22T16:00:00Z; `latest` is about five minutes ago; `restored`: the "
                    "table was restored already, by this suffix."
                ),
                pattern="(latest|restored|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)",
                default="latest",
            ),
            "CopyBack": Parameter(description="Which rows.", values=("none", "missing", "all"), default="none"),
        },
        access=[_access(place, tables)],
        outputs=["Copy.Copied", "Copy.Kept"],
    )


def _steps(place: Place) -> list[Step]:
    named = {"SourceTableName": "{{ TableName }}", "TargetTableName": _NEW}
    return [
        branch(
            "When",
            on="{{ At }}",
            ways={"latest": "RestoreLatest", "restored": "Restored"},
            otherwise="RestoreMoment",
        ),
        _restored("RestoreLatest", {**named, "UseLatestRestorableTime": True}),
        _restored("RestoreMoment", {**named, "RestoreDateTime": "{{ At }}"}),
        wait_for(
            "Restored",
            "dynamodb",
            "DescribeTable",
            {"TableName": _NEW},
            path="$.Table.TableStatus",
            values=["ACTIVE"],
            within_s=_WITHIN_S,
        ),
        branch("Choose", on="{{ CopyBack }}", ways={"none": "Done"}, otherwise=place.asked("Approve", "Copy")),
        *place.question(
            "Approve",
            f"{_NEW} is restored. May its rows ({{{{ CopyBack }}}}) be put back into {{{{ TableName }}}}?",
            then="Copy",
        ),
        run_script(
            "Copy",
            SCRIPTS / "rows.py",
            "copy",
            {"From": _NEW, "To": "{{ TableName }}", "Rows": "{{ CopyBack }}"},
            outputs={"Copied": ("$.Payload.Copied", "String"), "Kept": ("$.Payload.Kept", "String")},
        ),
        ask_api("Done", "dynamodb", "DescribeTable", {"TableName": _NEW}, isEnd=True),
    ]


def _restored(name: str, inputs: dict[str, Any]) -> Step:
    return ask_api(name, "dynamodb", "RestoreTableToPointInTime", inputs, nextStep="Restored")


def _access(place: Place, tables: Sequence[RestorableTable]) -> Access:
    arns = [one.table.table_arn for one in tables]
    beside = [f"{arn}-restored-*" for arn in arns]
    keys = [*dict.fromkeys(key_arn(one.key) for one in tables)]
    through = {"StringLike": {"kms:ViaService": f"dynamodb.{region_of(place.scope)}.*"}}
    granted = {**through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    reason = "the restored tables, whose names end as whoever starts it says"
    return Access(
        [
            allowed(_ON_TABLES, *arns, *beside),
            allowed(_ON_KEY, *keys, conditions=through),
            allowed(["kms:CreateGrant"], *keys, conditions=granted),
        ],
        patterns=dict.fromkeys(beside, reason),
    )
