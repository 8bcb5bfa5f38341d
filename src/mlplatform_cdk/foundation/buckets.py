"""Buckets as the platform keeps them: encrypted, versioned, over TLS only, access-logged, tidied by age."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import (
    accept_checkov,
    account_of,
    acknowledge,
    acknowledge_controls,
    bucket_name,
    days,
    resource_of,
    service_principal,
    stack_of,
)

_KEEP_OLD_VERSIONS = days(90)
_KEEP_ACCESS_LOGS = days(365)
_ABORT_UPLOADS = days(7)
_ID = "AccessLogs"


class AccessLogs(s3.Bucket):
    """Where S3 writes who touched which object of this account's other buckets; its entries go after a year.

    S3 delivers access logs only to buckets without a key of the customer's, so this one has S3's own.

    :param removal_policy: what happens to the logs when the stack goes; default: they are kept.
    """

    def __init__(self, scope: Construct, id: str, *, removal_policy: RemovalPolicy = RemovalPolicy.RETAIN) -> None:
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireOldLogs",
                    expiration=_KEEP_ACCESS_LOGS,
                    noncurrent_version_expiration=_KEEP_OLD_VERSIONS,
                    abort_incomplete_multipart_upload_after=_ABORT_UPLOADS,
                )
            ],
        )
        # Any stack's bucket may log here, so the policy names the account and not the buckets.
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AccessLogsOfThisAccount",
                principals=[service_principal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": account_of(self)}},
            )
        )
        endless = "the bucket of the access logs cannot log to itself without end"
        acknowledge(self, {"AwsSolutions-S1": endless})
        accept_checkov(self, {"CKV_AWS_18": endless}, is_new=True)
        acknowledge_controls(
            self,
            {
                "S3BucketLoggingEnabled": endless,
                "S3BucketReplicationEnabled": "logs of one region's buckets; they go after a year",
                "S3DefaultEncryptionKMS": "S3 delivers access logs only to buckets with its own encryption: "
                "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
            },
        )


def access_logs_of(scope: Construct, *, removal_policy: RemovalPolicy) -> s3.IBucket:
    """The access logs of the stack that ``scope`` is in; made by the first caller, with its removal policy."""
    stack = stack_of(scope)
    existing = stack.node.try_find_child(_ID)
    if existing is not None:
        return existing  # type: ignore[return-value] # only this function and FoundationStack make a child of this id
    return AccessLogs(stack, _ID, removal_policy=removal_policy)


class PlatformBucket(s3.Bucket):
    """A bucket for the platform's data.

    :param key: encrypts the objects.
    :param access_logs: the bucket that its access log goes to; default: one for all buckets of its stack.
    :param removal_policy: what happens to the bucket when its stack goes; default: it is kept.
    :param lifecycle_rules: what moves or expires by age; default: old versions go after 90 days.
    :param event_bridge_enabled: do its events go to EventBridge; default: no.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: kms.IKey,
        access_logs: s3.IBucket | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        lifecycle_rules: Sequence[s3.LifecycleRule] = (),
        event_bridge_enabled: bool = False,
    ) -> None:
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=removal_policy,
            lifecycle_rules=[_tidy(), *lifecycle_rules],
        )
        logs = access_logs or access_logs_of(self, removal_policy=removal_policy)
        self._configure(id, logs, event_bridge_enabled=event_bridge_enabled)
        reason = "a platform of one region; its objects are versioned, and what must survive the region is copied there"
        acknowledge_controls(self, {"S3BucketReplicationEnabled": reason})

    def _configure(self, id: str, access_logs: s3.IBucket, *, event_bridge_enabled: bool) -> None:
        """Set on the resource what CDK would do with a custom resource or with a policy per bucket."""
        resource = resource_of(self)
        assert isinstance(resource, s3.CfnBucket)
        resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=bucket_name(access_logs), log_file_prefix=f"{id}/"
        )
        if event_bridge_enabled:
            resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
            )


class ArtifactStore(PlatformBucket):
    """Where runs leave what they made: ``runs/<run id>/`` holds a run's data sets, model and evaluation.

    :param key: encrypts the objects.
    :param access_logs: the bucket that its access log goes to; default: one for all buckets of its stack.
    :param removal_policy: what happens to the artifacts when the stack goes; default: they are kept.
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
        super().__init__(scope, id, key=key, access_logs=access_logs, removal_policy=removal_policy)


def _tidy() -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="Tidy",
        noncurrent_version_expiration=_KEEP_OLD_VERSIONS,
        abort_incomplete_multipart_upload_after=_ABORT_UPLOADS,
    )
