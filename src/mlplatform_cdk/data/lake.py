"""The lake: the bucket that raw data arrives in, which tells EventBridge of each arrival."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.foundation import PlatformBucket


class DataLake(PlatformBucket):
    """Where data sets lie, one folder each: ``raw/<data set>/*.csv``.

    :param key: encrypts the objects.
    :param access_logs: the bucket that its access log goes to; default: one for all buckets of its stack.
    :param removal_policy: what happens to the data when the stack goes; default: it is kept.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: kms.IKey,
        access_logs: s3.IBucket | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(
            scope, id, key=key, access_logs=access_logs, removal_policy=removal_policy, event_bridge_enabled=True
        )
