"""The customer-managed keys: one per kind of data, shared by the stacks of an environment."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Statement, account_of, arn_of, region_of, stack_of

# Services that encrypt on nobody's behalf: they publish to encrypted topics and queues, or deliver to encrypted logs.
_PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com")


class Keys(Construct):
    """The key of an environment's data, which rotates every year.

    The first statement, CDK's own, gives ``kms:*`` to the account itself, the one wildcard action of the platform; it
    stays. It lets IAM decide and names nobody; whoever may ``kms:PutKeyPolicy`` could give himself all the rest, so
    that a list would bound no one; and without an action that AWS adds later, the account could not wholly manage its
    key:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam

    IAM policies of this account decide who uses it; log groups, and the services that publish to encrypted topics and
    queues, may use it for this account's resources alone. Grants on it are for AWS services only.

    :param removal_policy: what happens to the key when its stack goes; default: it is kept, and so
        what it encrypts stays readable.
    """

    def __init__(self, scope: Construct, id: str, *, removal_policy: RemovalPolicy = RemovalPolicy.RETAIN) -> None:
        super().__init__(scope, id)
        stack_of.tell(self, stack_of(scope))
        self.data = kms.Key(
            self,
            "Data",
            description="Encrypts the data, models, logs and messages of the machine learning platform",
            enable_key_rotation=True,
            removal_policy=removal_policy,
            # As one document: statement by statement, each costs five messages to Node.
            policy=iam.PolicyDocument.from_json(
                {"Statement": [self._account(), self._log_groups(), self._publishers(), _grants_are_for_services()]}
            ),
        )

    def _account(self) -> Statement:
        root = arn_of(self, "iam", "root", region="")
        return {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}

    def _log_groups(self) -> Statement:
        groups = arn_of(self, "logs", "log-group:*")
        return {
            "Sid": "LogGroupsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region_of(self)}.amazonaws.com"},
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        }

    def _publishers(self) -> Statement:
        return {
            "Sid": "PublishersOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": [*_PUBLISHERS]},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account_of(self)}},
        }


def _grants_are_for_services() -> Statement:
    return {
        "Sid": "GrantsAreForServices",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}},
    }
