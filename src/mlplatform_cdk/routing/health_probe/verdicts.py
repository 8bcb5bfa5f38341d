"""Where a region's probe leaves its verdict: one row per endpoint, for the region's API to read."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import (
    accept_checkov,
    acknowledge,
    acknowledge_controls,
    grant,
    grant_encrypt,
    key_arn,
    permission,
)
from mlplatform_cdk.routing.health_probe.runtime.row import PARTITION_KEY


class VerdictTable(Construct):
    """The verdicts on this region's endpoints, and whether somebody has drained it.

    A row's key is the endpoint's name. The probe changes its own attributes in place; ``drain`` (a map of ``by``,
    ``reason`` and ``at``) is set and removed by whoever drains the region, see ``grant_drain``.

    :param key: encrypts the rows.
    :param removal_policy: what happens to the table when its stack goes; default: it goes, too, since a verdict is
        worth seconds.
    """

    def __init__(
        self, scope: Construct, id: str, *, key: kms.IKey, removal_policy: RemovalPolicy = RemovalPolicy.DESTROY
    ) -> None:
        super().__init__(scope, id)
        self.key = key
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            removal_policy=removal_policy,
        )
        self.table_name, self.table_arn = table.table_name, table.table_arn
        reason = "a verdict is worth seconds: the next round writes a new one"
        acknowledge_controls(table, dict.fromkeys(("DynamoDBInBackupPlan", "DynamoDBPITREnabled"), reason))
        acknowledge(table, {"AwsSolutions-DDB3": reason})
        accept_checkov(table, {"CKV_AWS_28": reason}, is_new=True)

    def grant_read_verdict(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` query the table, and nothing more."""
        grant(grantee, permission(["dynamodb:Query"], self.table_arn), permission(["kms:Decrypt"], key_arn(self.key)))

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` write verdicts, and nothing more."""
        self._grant_update(grantee)

    def grant_drain(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read the rows, drain the region and restore it; see ``HealthProbe.grant_drain``."""
        self.grant_look(grantee)
        self._grant_update(grantee)

    def grant_look(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read the rows, with what is not published; see ``HealthProbe.grant_status``."""
        grant(grantee, permission(["dynamodb:GetItem"], self.table_arn), permission(["kms:Decrypt"], key_arn(self.key)))

    def _grant_update(self, grantee: iam.IGrantable) -> None:
        grant(grantee, permission(["dynamodb:UpdateItem"], self.table_arn))
        grant_encrypt(self.key, grantee)
