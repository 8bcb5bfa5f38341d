"""What AWS Backup needs to back up and to restore, kind by kind, as its own managed policies say.

Those (``AWSBackupServiceRolePolicyForBackup`` v30, ``…ForS3Backup`` v5, ``…ForRestores`` v36, ``…ForS3Restore`` v2)
name every service and all resources; these name the caller's resources, one vault and its copies.
Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html and
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
"""

from collections.abc import Callable, Mapping, Sequence

from constructs import IConstruct

from mlplatform_cdk.core import Access, Statement, account_of, allowed, arn_of, key_arn, region_of
from mlplatform_cdk.resilience.backups.protected import Kind, Protected

# https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
RESTORED = "awsbackup-restore-test-*"

_EVERYWHERE = "the action knows no resources"
_TAGGED = "which resources bear the tag, no policy knows"
_FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}

# Which buckets, sizes and rules there are.
_S3_SEES = ("cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets")
_S3_RULE = (
    "events:DeleteRule",
    "events:DescribeRule",
    "events:DisableRule",
    "events:EnableRule",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
)
_S3_BUCKET = (
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetInventoryConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListTagsForResource",
    "s3:PutBucketNotification",
    "s3:PutInventoryConfiguration",
)
_S3_OBJECTS = (
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
)
_RESTORES_TABLE = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:RestoreTableFromAwsBackup",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
_RESTORES_FILES = (
    "elasticfilesystem:DescribeFileSystems",
    "elasticfilesystem:Restore",
    "elasticfilesystem:TagResource",
)
_RESTORES_BUCKET = (
    "s3:CreateBucket",
    "s3:GetBucketLocation",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketVersioning",
)
_RESTORES_OBJECTS = (
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
)
# What a restore does with the key of the vault, through the service that is restored to.
_RESTORES_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_SERVICES: Mapping[Kind, str] = {"DynamoDB": "dynamodb", "EFS": "elasticfilesystem", "S3": "s3"}


def backing_up(
    scope: IConstruct, given: Protected, *, vault: str, key: str, copies: Mapping[str, str]
) -> Sequence[Access]:
    """What the role of the backups may do.

    :param given: what is backed up.
    :param vault: the ARN of the vault.
    :param key: the ARN of its key.
    :param copies: the ARN of each other vault, by its region.
    """
    by_kind: Mapping[Kind, Callable[[IConstruct, Protected], Access]] = {"DynamoDB": _tables, "EFS": _files, "S3": _s3}
    found = [by_kind[kind](scope, given) for kind in given.kinds]
    points = [arn_of(scope, "backup", "recovery-point:*", region=region) for region in (region_of(scope), *copies)]
    here = Access(
        [
            allowed(["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"], vault, *copies.values()),
            allowed(["backup:CopyFromBackupVault", "backup:TagResource"], *points),
            allowed(["tag:GetResources"], "*"),
            allowed(["kms:DescribeKey"], key),
            allowed(["kms:CreateGrant"], key, conditions=_FOR_AWS),
        ],
        patterns=dict.fromkeys(points, "a backup's id comes with it") | {"*": _EVERYWHERE},
    )
    return [*found, here, *([_other_keys(scope, [*copies])] if copies else [])]


def restoring(scope: IConstruct, kinds: Sequence[Kind], *, key: str) -> Sequence[Access]:
    """What the role of restore tests may do: all of it to what a test itself made, by the names that it gives.

    A file system has no name, but an id: none but those that AWS Backup tagged as a test's are deleted.

    :param kinds: what is restored.
    :param key: the ARN of the vault's key.
    """
    by_kind = {"DynamoDB": _restored_tables, "EFS": _restored_files, "S3": _restored_buckets}
    through = {"StringLike": {"kms:ViaService": [_through(scope, kind) for kind in kinds]}}
    keys = Access(
        [
            allowed(_RESTORES_KEY, key, conditions=through),
            allowed(["kms:DescribeKey"], key),
            allowed(["kms:CreateGrant"], key, conditions=_FOR_AWS),
        ]
    )
    return [*(by_kind[kind](scope) for kind in kinds), keys]


def _tables(scope: IConstruct, given: Protected) -> Access:
    """Of DynamoDB's backups the advanced ones, which a vault's own key, cold storage and copies presuppose.

    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
    """
    tables = given.all_of("DynamoDB")
    seen = ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"]
    return Access(
        [allowed(seen, *tables), *_source_keys(scope, given, "DynamoDB", ["kms:Decrypt", "kms:GenerateDataKey"])],
        patterns=_patterns(given, "DynamoDB") | _all_keys(scope, given, "DynamoDB"),
    )


def _files(_scope: IConstruct, given: Protected) -> Access:
    seen = ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"]
    return Access([allowed(seen, *given.all_of("EFS"))], patterns=_patterns(given, "EFS"))


def _s3(scope: IConstruct, given: Protected) -> Access:
    buckets = given.all_of("S3")
    objects = [arn if arn.endswith("*") else f"{arn}/*" for arn in buckets]
    rules = arn_of(scope, "events", "rule/AwsBackupManagedRule*")
    return Access(
        [
            allowed(_S3_BUCKET, *buckets),
            allowed(_S3_OBJECTS, *objects),
            allowed(_S3_RULE, rules),
            allowed(_S3_SEES, "*"),
            *_source_keys(scope, given, "S3", ["kms:Decrypt", "kms:DescribeKey"]),
        ],
        patterns=dict.fromkeys(objects, "all objects are backed up")
        | {rules: "AWS Backup names its rules", "*": _EVERYWHERE}
        | _patterns(given, "S3")
        | _all_keys(scope, given, "S3"),
    )


def _source_keys(scope: IConstruct, given: Protected, kind: Kind, actions: Sequence[str]) -> Sequence[Statement]:
    """What encrypts the originals; with a tag, any key of the region, through the one service."""
    through = {"StringLike": {"kms:ViaService": _through(scope, kind)}}
    keys = [*_all_keys(scope, given, kind)] or [*map(key_arn, given.keys.get(kind, ()))]
    return [allowed(actions, *keys, conditions=through)] if keys else []


def _through(scope: IConstruct, kind: Kind) -> str:
    """The service through which a key is used, in any partition."""
    return f"{_SERVICES[kind]}.{region_of(scope)}.*"


def _all_keys(scope: IConstruct, given: Protected, kind: Kind) -> dict[str, str]:
    return {arn_of(scope, "kms", "key/*"): _TAGGED} if kind in given.patterns else {}


def _patterns(given: Protected, kind: Kind) -> dict[str, str]:
    return {given.patterns[kind]: _TAGGED} if kind in given.patterns else {}


def _other_keys(scope: IConstruct, regions: Sequence[str]) -> Access:
    """A copy is encrypted by the key of its own vault, whose id only that region knows."""
    keys = [arn_of(scope, "kms", "key/*", region=region) for region in regions]
    ours = {"StringEquals": {"aws:ResourceAccount": account_of(scope)}}
    return Access(
        [
            allowed(["kms:DescribeKey"], *keys, conditions=ours),
            allowed(["kms:CreateGrant"], *keys, conditions={**ours, **_FOR_AWS}),
        ],
        patterns=dict.fromkeys(keys, "no stack refers to another region's, so that the key's id is not known here"),
    )


def _restored_tables(scope: IConstruct) -> Access:
    tables = arn_of(scope, "dynamodb", f"table/{RESTORED}")
    return Access([allowed(_RESTORES_TABLE, tables)], patterns={tables: "AWS Backup names the tables of a test"})


def _restored_files(scope: IConstruct) -> Access:
    systems = arn_of(scope, "elasticfilesystem", "file-system/*")
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
    of_a_test = {"Null": {"aws:ResourceTag/awsbackup-restore-test": "false"}}
    return Access(
        [
            allowed(["elasticfilesystem:CreateFileSystem"], "*"),
            allowed(_RESTORES_FILES, systems),
            allowed(["elasticfilesystem:DeleteFileSystem"], systems, conditions=of_a_test),
        ],
        patterns={systems: "a restored file system's id comes with it", "*": _EVERYWHERE},
    )


def _restored_buckets(scope: IConstruct) -> Access:
    buckets = arn_of(scope, "s3", RESTORED, region="", account="")
    objects = f"{buckets}/*"
    reason = "AWS Backup names the buckets of a test"
    return Access(
        [allowed(_RESTORES_BUCKET, buckets), allowed(_RESTORES_OBJECTS, objects)],
        patterns={buckets: reason, objects: reason},
    )
