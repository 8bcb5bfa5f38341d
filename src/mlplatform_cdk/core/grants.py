"""Permissions without wildcard actions, where CDK's own ``grant_*`` methods hand out ``s3:GetObject*``."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import acknowledge_wildcards
from mlplatform_cdk.core.answers import asked_once, key_arn
from mlplatform_cdk.core.functions import PlatformFunction
from mlplatform_cdk.core.roles import PlatformRole, permission

# Actions by what one does with a bucket:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_LIST = ("s3:ListBucket", "s3:GetBucketLocation")
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")
# What S3, SQS, SNS and SageMaker ask of a key on the caller's behalf.
_DECRYPT = ("kms:Decrypt", "kms:DescribeKey")
_ENCRYPT = (*_DECRYPT, "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom")


def grant(grantee: iam.IGrantable, *statements: iam.PolicyStatement) -> None:
    """Let ``grantee`` do what ``statements`` say: all of them in one message to Node, where the role is ours."""
    principal = principal_of(grantee)
    if isinstance(principal, PlatformRole):
        principal.allow(*statements)
        return
    for statement in statements:
        principal.add_to_principal_policy(statement)


def principal_of(grantee: iam.IGrantable) -> iam.IPrincipal:
    """Who ``grantee`` is to IAM."""
    if isinstance(grantee, PlatformFunction):
        return grantee.platform_role
    return grantee if isinstance(grantee, PlatformRole) else grantee.grant_principal


def grant_read(bucket: s3.IBucket, grantee: iam.IGrantable, *, prefix: str = "", object_key: str | None = None) -> None:
    """Let ``grantee`` list ``bucket`` and read the objects under ``prefix``, and use the bucket's key for it.

    :param prefix: only keys that begin with this; default: every key.
    :param object_key: this one object, whatever ``prefix`` says; default: all that the prefix allows.
    """
    _grant_objects(bucket, grantee, _READ, _DECRYPT, f"{prefix}*" if object_key is None else object_key)


def grant_write(
    bucket: s3.IBucket, grantee: iam.IGrantable, *, prefix: str = "", object_key: str | None = None
) -> None:
    """Let ``grantee`` write objects under ``prefix`` (never delete), and use the bucket's key for it.

    :param prefix: only keys that begin with this; default: every key.
    :param object_key: this one object, whatever ``prefix`` says; default: all that the prefix allows.
    """
    _grant_objects(bucket, grantee, _WRITE, _ENCRYPT, f"{prefix}*" if object_key is None else object_key)


def grant_list(bucket: s3.IBucket, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` list ``bucket``, and read no object."""
    grant(grantee, permission(_LIST, _bucket_arn(bucket)))


def grant_decrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` read what ``key`` encrypts."""
    grant(grantee, permission(_DECRYPT, key_arn(key)))


def grant_encrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` write and read what ``key`` encrypts (multipart uploads decrypt their own parts)."""
    grant(grantee, permission(_ENCRYPT, key_arn(key)))


def _grant_objects(
    bucket: s3.IBucket, grantee: iam.IGrantable, on_objects: Sequence[str], on_key: Sequence[str], names: str
) -> None:
    arn, key = _bucket_arn(bucket), _encryption_key(bucket)
    objects = f"{arn}/{names}"
    statements = [permission(on_objects, objects), permission(_LIST, arn)]
    if key is not None:
        statements.append(permission(on_key, key_arn(key)))
    grant(grantee, *statements)
    principal = principal_of(grantee)
    if names.endswith("*") and isinstance(principal, Construct):
        acknowledge_wildcards(principal, {objects: "the objects of one prefix, whose names come with the data"})


@asked_once
def _bucket_arn(bucket: s3.IBucket) -> str:
    return bucket.bucket_arn


@asked_once
def _encryption_key(bucket: s3.IBucket) -> kms.IKey | None:
    return bucket.encryption_key
