"""A table with a copy in every region: defined once, at home, and reached by its name everywhere."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    acknowledge_controls,
    allowed,
    arn_of,
    give,
)
from mlplatform_cdk.routing.replication import RegionalData
from mlplatform_cdk.routing.replication.here import region_here, require_home
from mlplatform_cdk.routing.state_tables.consistency import Consistency

_Table = dynamodb.CfnGlobalTable
_LONGEST_NAME = 255  # of `TableName` in DynamoDB's service model
_READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
_WRITE = ("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
# What DynamoDB asks of a key on the caller's behalf:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_DECRYPT = ("kms:Decrypt", "kms:DescribeKey")
_ENCRYPT = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")
_EVENTUAL = Consistency.eventual()


class RegionalTable(Construct):
    """The copy of a table in this stack's region, whose own stack defines none of it.

    :param plan: the regions and their names.
    :param name: the table's, as its ``StateTable`` has it.
    """

    def __init__(self, scope: Construct, id: str, *, plan: RegionalData, name: str) -> None:
        super().__init__(scope, id)
        self._plan, self._region = plan, region_here(self, plan)
        if plan.is_elsewhere(self._region):
            raise ConfigurationError(self, f"a table's copies lie in the home's account, got {self._region} of another")
        self.table_name = plan.table_name(name)
        self.table_arn = arn_of(self, "dynamodb", f"table/{self.table_name}")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read rows of this region's copy, and nothing more."""
        self._grant(grantee, _READ, _DECRYPT)

    def grant_write(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` write rows of this region's copy; conditions need no reading."""
        self._grant(grantee, _WRITE, _ENCRYPT)

    def grant(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let ``grantee`` do these actions of DynamoDB on this region's copy, and what its key needs for them."""
        self._grant(grantee, actions, _DECRYPT if {*actions} <= {*_READ} else _ENCRYPT)

    def _grant(self, grantee: iam.IGrantable, on_table: tuple[str, ...], on_key: tuple[str, ...]) -> None:
        give(grantee, Access([allowed(on_table, self.table_arn), self._on_key(on_key)], patterns=self._patterns()))

    def _on_key(self, actions: tuple[str, ...]) -> Any:
        """Through DynamoDB only, by the key's own ARN or, since that is known in no other stack, by its alias."""
        conditions: dict[str, dict[str, str]] = {"StringLike": {"kms:ViaService": f"dynamodb.{self._region}.*"}}
        given = self._plan.key_arns.get(self._region)
        if given is None:
            conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": self._plan.key_alias}
        return allowed(actions, given or self._any_key(), conditions=conditions)

    def _patterns(self) -> dict[str, str]:
        if self._region in self._plan.key_arns:
            return {}
        return {self._any_key(): "the key's alias narrows it to one, whose id its own stack knows"}

    def _any_key(self) -> str:
        return arn_of(self, "kms", "key/*")


class StateTable(RegionalTable):
    """A table of features, or of requests that were answered already, with a copy in each of the plan's regions.

    One stack of one region defines all copies, the home's; CloudFormation makes them by itself. Each region's functions
    reach their own copy by ``RegionalTable``, so that nothing in the way of a request crosses regions.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html

    A region that joins or leaves the plan changes the table in place; one in each update, as DynamoDB takes them, and
    with nothing else. A region that leaves is named in ``leaving`` an update before, which takes the protection off its
    copy, and loses that copy. The home cannot leave. Keys, consistency and name stay as they are.

    Every copy is encrypted with its region's key, goes back to any second of the last 35 days, and is protected from
    deletion. The keys are there before the table, and all regions are of one account.

    :param plan: the regions and their names.
    :param name: the table's, such as ``features``; the plan's name goes before it.
    :param partition_key: the attribute, a text.
    :param sort_key: the attribute, a text; default: a row is found by its partition key alone.
    :param expiry: the attribute with the second after which a row goes, in every region; default: rows stay.
    :param consistency: what a write means for other regions; default: the last writer wins.
    :param leaving: regions whose copies the next update may delete; default: none.
    :param removal_policy: what happens to all copies when the stack goes; all but ``DESTROY`` protect from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: RegionalData,
        name: str,
        partition_key: str,
        sort_key: str | None = None,
        expiry: str | None = None,
        consistency: Consistency = _EVENTUAL,
        leaving: Sequence[str] = (),
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id, plan=plan, name=name)
        require_home(self, plan)
        self._check(plan, consistency, leaving, expires=expiry is not None)
        keys = {partition_key: "HASH"} | ({sort_key: "RANGE"} if sort_key is not None else {})
        strong, keeps = consistency.mode == "strong", removal_policy is not RemovalPolicy.DESTROY
        table = _Table(
            self,
            "Resource",
            table_name=self.table_name,
            attribute_definitions=[
                _Table.AttributeDefinitionProperty(attribute_name=one, attribute_type="S") for one in keys
            ],
            key_schema=[_Table.KeySchemaProperty(attribute_name=one, key_type=kind) for one, kind in keys.items()],
            billing_mode="PAY_PER_REQUEST",
            sse_specification=_Table.SSESpecificationProperty(sse_enabled=True, sse_type="KMS"),
            # Copies follow this stream, which the strong mode has no need of.
            stream_specification=None if strong else _Table.StreamSpecificationProperty(stream_view_type=_IMAGES),
            time_to_live_specification=_expiring(expiry),
            multi_region_consistency="STRONG" if strong else None,
            global_table_witnesses=_witnesses(consistency),
            replicas=[
                _copy(plan, region, protected=keeps and region not in leaving) for region in sorted(plan.accounts)
            ],
        )
        table.apply_removal_policy(removal_policy)
        reason = "it goes back to any second of 35 days by itself; a backup plan for longer is the account's to make"
        acknowledge_controls(self, {"DynamoDBInBackupPlan": reason})

    def _check(self, plan: RegionalData, consistency: Consistency, leaving: Sequence[str], *, expires: bool) -> None:
        if len(self.table_name) > _LONGEST_NAME:
            raise ConfigurationError(
                self, f"a table's name must have at most {_LONGEST_NAME} characters, got {len(self.table_name)}"
            )
        elsewhere = [region for region in plan.accounts if plan.is_elsewhere(region)]
        if elsewhere:
            raise ConfigurationError(
                self, f"a table's copies must lie in the home's account, got {', '.join(elsewhere)} of another"
            )
        if staying := sorted({*leaving} - {*plan.others}):
            raise ConfigurationError(
                self, f"leaving must name regions of the plan beside its home, got {', '.join(staying)}"
            )
        if wrong := consistency.wrong([*plan.accounts], expires=expires):
            raise ConfigurationError(self, wrong)


_IMAGES = "NEW_AND_OLD_IMAGES"


def _copy(plan: RegionalData, region: str, *, protected: bool) -> dynamodb.CfnGlobalTable.ReplicaSpecificationProperty:
    return _Table.ReplicaSpecificationProperty(
        region=region,
        deletion_protection_enabled=protected,
        point_in_time_recovery_specification=_Table.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        ),
        sse_specification=_Table.ReplicaSSESpecificationProperty(kms_master_key_id=plan.key_arn(region)),
    )


def _expiring(attribute: str | None) -> dynamodb.CfnGlobalTable.TimeToLiveSpecificationProperty | None:
    return _Table.TimeToLiveSpecificationProperty(enabled=True, attribute_name=attribute) if attribute else None


def _witnesses(consistency: Consistency) -> list[dynamodb.CfnGlobalTable.GlobalTableWitnessProperty] | None:
    return [_Table.GlobalTableWitnessProperty(region=consistency.witness)] if consistency.witness else None
