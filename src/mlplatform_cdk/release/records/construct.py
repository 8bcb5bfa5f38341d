"""The table of releases, which outlives its stack: an audit record that went with the stack would be none."""

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Access, Statement, allowed, arn_of, encrypting, give, key_arn
from mlplatform_cdk.core.tables import PlatformTable
from mlplatform_cdk.runtimekit.release_records import (
    BUS_VARIABLE,
    EXPIRY,
    PARTITION_KEY,
    SORT_KEY,
    TABLE_VARIABLE,
    keys_of,
    record_keys_of,
)

_HISTORY = ("dynamodb:Query",)
_READ = ("dynamodb:GetItem", *_HISTORY)
# A record and a lock are whole items; only a gate's item is changed.
_WRITE = (*_READ, "dynamodb:DeleteItem", "dynamodb:PutItem")
_HOLD = ("dynamodb:DeleteItem", "dynamodb:PutItem", *_HISTORY)
_RECORD = ("dynamodb:GetItem", "dynamodb:PutItem")
_DECIDE = (*_RECORD, *_HISTORY, "dynamodb:UpdateItem")


class ReleaseRecords(Construct):
    """Where releases write what they did, one item and one event on a bus per step; locks and gates lie there too.

    The table can be brought back to any second of the last 35 days, and stays when its stack goes.

    :param key: encrypts the items.
    :param bus: where the events of the steps go; default: the account's default bus.
    :param removal_policy: what happens to the table when its stack goes; default: it is kept.
    """

    table_name: str
    table_arn: str
    bus_name: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: kms.IKey,
        bus: events.IEventBus | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        table = PlatformTable(
            self,
            "Table",
            partition_key=PARTITION_KEY,
            sort_key=SORT_KEY,
            expiry=EXPIRY,
            key=key,
            removal_policy=removal_policy,
        )
        self._know(table.table_name, table.table_arn, key, bus)

    @staticmethod
    def from_table_name(
        scope: Construct, id: str, table_name: str, *, key: kms.IKey, bus: events.IEventBus | None = None
    ) -> "ReleaseRecords":
        """The records that another stack keeps; defines no resource.

        :param table_name: its table.
        :param key: what that table is encrypted with.
        :param bus: where the events of the steps go; default: the account's default bus.
        """
        return _BorrowedRecords(scope, id, table_name, key=key, bus=bus)

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of a function that writes or reads records."""
        return {TABLE_VARIABLE: self.table_name, BUS_VARIABLE: self.bus_name}

    def grant_write(self, grantee: iam.IGrantable, endpoint_name: str | None = None) -> None:
        """Let ``grantee`` write and read records and locks, and send the events.

        :param endpoint_name: of this endpoint alone; default: of each that the table is of.
        """
        give(grantee, self.writing(endpoint_name))

    def grant_record(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` write records, and send the events; it takes no lock and reads no history."""
        give(grantee, self._changing(_RECORD, tells=True))

    def grant_ask(self, grantee: iam.IGrantable, endpoint_name: str | None = None) -> None:
        """Let ``grantee`` open gates, and nothing more.

        :param endpoint_name: of this endpoint alone; default: of each that the table is of.
        """
        give(grantee, self._changing(_RECORD, tells=False, of=endpoint_name))

    def grant_decide(self, grantee: iam.IGrantable, endpoint_name: str | None = None) -> None:
        """Let ``grantee`` answer at gates, with the record and the event of that.

        :param endpoint_name: of this endpoint alone; default: of each that the table is of.
        """
        give(grantee, self._changing(_DECIDE, tells=True, of=endpoint_name))

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read the table, and nothing more."""
        give(grantee, self._looking(_READ))

    def grant_history(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read the records and the locks of endpoints by their names, and nothing more."""
        give(grantee, self.reading_history())

    def grant_clear(self, grantee: iam.IGrantable, endpoint_name: str) -> None:
        """Let ``grantee`` remove rows of the lock of one endpoint; its records and those of others stay."""
        give(grantee, self.clearing(endpoint_name))

    def writing(self, endpoint_name: str | None = None) -> Access:
        """What ``grant_write`` gives, as a value."""
        return self._changing(_WRITE, tells=True, of=endpoint_name)

    def reading_history(self) -> Access:
        """What ``grant_history`` gives, as a value."""
        return self._looking(_HISTORY)

    def recording(self, endpoint_name: str) -> Access:
        """What writing records of one endpoint takes, and their events; it touches neither its lock nor its gate."""
        changing = allowed(_RECORD, self.table_arn, conditions=_only(record_keys_of(endpoint_name)))
        return Access([changing, self._telling(), *encrypting(self._key).statements])

    def clearing(self, endpoint_name: str) -> Access:
        """What ``grant_clear`` gives, as a value."""
        deleting = allowed(["dynamodb:DeleteItem"], self.table_arn, conditions=_only([f"lock#{endpoint_name}"]))
        return Access([deleting, *encrypting(self._key).statements])

    def holding(self) -> Access:
        """What holding an endpoint's lock takes beside its releases: to look who has it, to take it and let it go."""
        on_key = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        return Access([allowed(_HOLD, self.table_arn), allowed(on_key, key_arn(self._key))])

    def seeing_holders(self) -> Access:
        """What looking takes whether the holder of a lock still runs, of whichever machine it is.

        An A/B test of any stack may hold it, and so may what is left of a machine that is gone, so that no list of
        machines names them all; and where IAM refuses the look, nobody knows whether the holder runs.
        """
        executions = arn_of(self, "states", "execution:*")
        why = "a lock may be held by an execution of any machine, also of one that is gone; they are only described"
        return Access([allowed(["states:DescribeExecution"], executions)], patterns={executions: why})

    def _changing(self, actions: Sequence[str], *, tells: bool, of: str | None = None) -> Access:
        telling = [self._telling()] if tells else []
        changing = allowed(actions, self.table_arn, conditions=None if of is None else _only(keys_of(of)))
        return Access([changing, *telling, *encrypting(self._key).statements])

    def _telling(self) -> Statement:
        return allowed(["events:PutEvents"], arn_of(self, "events", f"event-bus/{self.bus_name}"))

    def _looking(self, actions: Sequence[str]) -> Access:
        return Access([allowed(actions, self.table_arn), allowed(["kms:Decrypt"], key_arn(self._key))])

    def _know(self, table_name: str, table_arn: str, key: kms.IKey, bus: events.IEventBus | None) -> None:
        self.table_name, self.table_arn, self._key = table_name, table_arn, key
        self.bus_name = bus.event_bus_name if bus is not None else "default"


class _BorrowedRecords(ReleaseRecords):
    def __init__(
        self, scope: Construct, id: str, table_name: str, *, key: kms.IKey, bus: events.IEventBus | None
    ) -> None:
        Construct.__init__(self, scope, id)
        self._know(table_name, arn_of(self, "dynamodb", f"table/{table_name}"), key, bus)


def _only(keys: Sequence[str]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The condition that keeps a statement to the items of these partition keys; no statement here allows a scan."""
    return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [*keys]}}
