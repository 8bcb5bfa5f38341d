"""What is backed up: resources of the caller, or whatever bears a tag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from mlplatform_cdk.core import ConfigurationError, arn_of

# As AWS Backup calls them: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingSelectionForCreate.html
Kind = Literal["DynamoDB", "EFS", "S3"]
KINDS: tuple[Kind, ...] = ("DynamoDB", "EFS", "S3")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUpTag:
    """Whatever bears this tag is backed up, as soon as it does.

    The role of the backups may then read every resource of these kinds in the region: which of them bears the tag, no
    policy knows.

    :param key: the tag's key.
    :param value: its value.
    :param kinds: what may bear it; default: tables, file systems and buckets.
    """

    key: str
    value: str
    kinds: Sequence[Kind] = KINDS

    def __post_init__(self) -> None:
        """Refuse what selects nothing."""
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if not self.key or not self.kinds:
            raise ValueError("a tag must have a key and at least one kind")
        if unknown := [one for one in self.kinds if one not in KINDS]:
            raise ValueError(f"kinds must be among {', '.join(KINDS)}, got {unknown[0]!r}")


@dataclass(frozen=True, slots=True)
class Protected:
    """ARNs by kind, with the keys that encrypt them; patterns are those that a tag needs."""

    arns: Mapping[Kind, Sequence[str]]
    keys: Mapping[Kind, Sequence[kms.IKey]]
    patterns: Mapping[Kind, str]

    def all_of(self, kind: Kind) -> Sequence[str]:
        """The ARNs of ``kind``, and its pattern."""
        return [*self.arns.get(kind, ()), *([self.patterns[kind]] if kind in self.patterns else [])]

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds that there are, in their order."""
        return [kind for kind in KINDS if self.all_of(kind)]


def protected(
    scope: IConstruct,
    *,
    tables: Sequence[dynamodb.ITable],
    file_systems: Sequence[efs.IFileSystem],
    buckets: Sequence[s3.IBucket],
    tag: BackedUpTag | None,
) -> Protected:
    """Gather what is backed up, and refuse what AWS Backup could not back up."""
    for bucket in buckets:
        _require_bucket(scope, bucket)
    arns: dict[Kind, Sequence[str]] = {
        "DynamoDB": [table.table_arn for table in tables],
        "EFS": [system.file_system_arn for system in file_systems],
        "S3": [bucket.bucket_arn for bucket in buckets],
    }
    every: dict[Kind, str] = {
        "DynamoDB": arn_of(scope, "dynamodb", "table/*"),
        "EFS": arn_of(scope, "elasticfilesystem", "file-system/*"),
        "S3": arn_of(scope, "s3", "*", region="", account=""),
    }
    found = Protected(
        arns,
        {"DynamoDB": _keys(tables), "S3": _keys(buckets)},
        {kind: every[kind] for kind in tag.kinds} if tag is not None else {},
    )
    if not found.kinds:
        raise ConfigurationError(scope, "something must be backed up, got no table, file system, bucket or tag")
    return found


def _keys(encrypted: Sequence[dynamodb.ITable] | Sequence[s3.IBucket]) -> list[kms.IKey]:
    return list(dict.fromkeys(one.encryption_key for one in encrypted if one.encryption_key is not None))


def _require_bucket(scope: IConstruct, bucket: s3.IBucket) -> None:
    """Refuse a bucket that AWS Backup refuses, or whose template would undo what AWS Backup sets.

    AWS Backup needs versions, and events by EventBridge for continuous backups. It turns these on itself
    (``s3:PutBucketNotification``), and the next update of a template that does not name them turns them off.
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html
    """
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        return  # another stack's, or another team's
    versions = resource.versioning_configuration
    if versions is None or getattr(versions, "status", "Enabled") != "Enabled":
        raise ConfigurationError(scope, f"a bucket must be versioned to be backed up, got {bucket.node.path}")
    if not _tells_event_bridge(bucket, resource):
        raise ConfigurationError(
            scope, f"a bucket must have event_bridge_enabled=True to be backed up, got {bucket.node.path}"
        )


def _tells_event_bridge(bucket: s3.IBucket, resource: s3.CfnBucket) -> bool:
    told = resource.notification_configuration
    if getattr(told, "event_bridge_configuration", None) is not None:
        return True
    # CDK's own buckets do it by a custom resource beside the bucket.
    return bucket.node.try_find_child("Notifications") is not None
