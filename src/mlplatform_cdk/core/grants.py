"""Permissions without wildcard actions, where CDK's own ``grant_*`` methods hand out ``s3:GetObject*``."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import acknowledge_wildcards
from mlplatform_cdk.core.roles import PlatformRole

# Actions by what one does with a bucket:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")
# What S3, SQS, SNS and SageMaker ask of a key on the caller's behalf.
_DECRYPT = ("kms:Decrypt", "kms:DescribeKey")
_ENCRYPT = ("kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom")


def grant_read(bucket: s3.IBucket, grantee: iam.IGrantable, *, prefix: str = "", object_key: str | None = None) -> None:
    """Let ``grantee`` list ``bucket`` and read the objects under ``prefix``, and use the bucket's key for it.

    :param prefix: only keys that begin with this; default: every key.
    :param object_key: this one object, whatever ``prefix`` says; default: all that the prefix allows.
    """
    _grant_objects(bucket, grantee, _READ, prefix, object_key)
    _grant_listing(bucket, grantee)
    key = bucket.encryption_key
    if key is not None:
        grant_decrypt(key, grantee)


def grant_write(
    bucket: s3.IBucket, grantee: iam.IGrantable, *, prefix: str = "", object_key: str | None = None
) -> None:
    """Let ``grantee`` write objects under ``prefix`` (never delete), and use the bucket's key for it.

    :param prefix: only keys that begin with this; default: every key.
    :param object_key: this one object, whatever ``prefix`` says; default: all that the prefix allows.
    """
    _grant_objects(bucket, grantee, _WRITE, prefix, object_key)
    _grant_listing(bucket, grantee)
    key = bucket.encryption_key
    if key is not None:
        grant_encrypt(key, grantee)


def grant_list(bucket: s3.IBucket, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` list ``bucket``, and read no object."""
    _grant_listing(bucket, grantee)


def grant_decrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` read what ``key`` encrypts."""
    _grant(grantee, _DECRYPT, [key.key_arn])


def grant_encrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` write and read what ``key`` encrypts (multipart uploads decrypt their own parts)."""
    _grant(grantee, (*_DECRYPT, *_ENCRYPT), [key.key_arn])


def _grant_objects(
    bucket: s3.IBucket, grantee: iam.IGrantable, actions: Sequence[str], prefix: str, object_key: str | None
) -> None:
    objects = bucket.arn_for_objects(f"{prefix}*" if object_key is None else object_key)
    _grant(grantee, actions, [objects])
    principal = grantee if isinstance(grantee, PlatformRole) else grantee.grant_principal
    if object_key is None and isinstance(principal, Construct):
        acknowledge_wildcards(principal, {objects: "the objects of one prefix, whose names come with the data"})


def _grant_listing(bucket: s3.IBucket, grantee: iam.IGrantable) -> None:
    _grant(grantee, ("s3:ListBucket", "s3:GetBucketLocation"), [bucket.bucket_arn])


def _grant(grantee: iam.IGrantable, actions: Sequence[str], resources: Sequence[str]) -> None:
    if isinstance(grantee, PlatformRole):  # a third of the calls to Node that CDK's Grant makes
        grantee.allow(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
    else:
        iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=list(resources))
