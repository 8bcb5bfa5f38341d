"""S3's permissions, whose names are not those of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.statements import Need

OBJECT_ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "HeadObject": "GetObject",
    "ListParts": "ListMultipartUploadParts",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "GetObjectTorrent": "GetObjectTorrent",
    "SelectObjectContent": "GetObject",
}
VERSIONED = {"GetObject": "GetObjectVersion", "HeadObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
BUCKET_ACTIONS = {
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
HEADER_KEYS = (
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-acl",
    "x-amz-storage-class",
    "x-amz-copy-source",
)


def of(call: Call) -> list[Need]:
    """What a call of S3 needs."""
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    context = _context(call)
    if bucket is None:
        return [Need(action="s3:ListAllMyBuckets", resources=None)]
    arn = f"arn:{get_partition(call.region)}:s3:::{bucket}"
    if call.operation == "DeleteObjects":
        keys = [item["Key"] for item in call.parameters.get("Delete", {}).get("Objects", [])]
        return [Need(action="s3:DeleteObject", resources=(f"{arn}/{name}",), context=context) for name in keys]
    if key is None:
        action = BUCKET_ACTIONS.get(call.operation, call.operation)
        return [Need(action=f"s3:{action}", resources=(arn,), context=context)]
    action = OBJECT_ACTIONS.get(call.operation, call.operation)
    if "versionId" in call.parameters:
        action = VERSIONED.get(call.operation, action)
    needs = [Need(action=f"s3:{action}", resources=(f"{arn}/{key}",), context=context)]
    source = call.headers.get("x-amz-copy-source")
    if source:
        path = unquote(source).lstrip("/").partition("?")[0]
        needs.append(Need(action="s3:GetObject", resources=(f"arn:{get_partition(call.region)}:s3:::{path}",)))
    if call.headers.get("x-amz-tagging"):
        needs.append(Need(action="s3:PutObjectTagging", resources=(f"{arn}/{key}",), context=context))
    return needs


def _context(call: Call) -> Mapping[str, list[str]]:
    query = {
        f"s3:{name}": [str(call.parameters[name])]
        for name in ("prefix", "delimiter", "max-keys")
        if call.parameters.get(name) is not None
    }
    if call.operation in ("ListObjects", "ListObjectsV2"):
        query.setdefault("s3:prefix", [""])
    headers = {f"s3:{name}": [call.headers[name]] for name in HEADER_KEYS if name in call.headers}
    return query | headers
