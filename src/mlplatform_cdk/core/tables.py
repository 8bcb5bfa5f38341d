"""What every table of ours has: a key of its own, backups of every second, and no end by accident."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import acknowledge_controls


class PlatformTable(dynamodb.Table):
    """A table paid by its use, which can be brought back to any second of the last 35 days.

    :param partition_key: the attribute, a text.
    :param sort_key: the attribute, a text.
    :param expiry: the attribute with the second after which an item goes.
    :param key: encrypts the items.
    :param removal_policy: what happens to the table when its stack goes; all but ``DESTROY`` protect it from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        partition_key: str,
        sort_key: str,
        expiry: str,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        text = dynamodb.AttributeType.STRING
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name=partition_key, type=text),
            sort_key=dynamodb.Attribute(name=sort_key, type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=expiry,
            deletion_protection=removal_policy is not RemovalPolicy.DESTROY,
            removal_policy=removal_policy,
        )
        reason = "it goes back to any second of 35 days by itself; a backup plan for longer is the account's to make"
        acknowledge_controls(self, {"DynamoDBInBackupPlan": reason})
