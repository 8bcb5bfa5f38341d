"""Permissions without wildcard actions, where CDK's own ``grant_*`` methods hand out ``s3:GetObject*``."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core.access import Access, allowed
from mlplatform_cdk.core.acknowledgements import acknowledge_access
from mlplatform_cdk.core.answers import bucket_arn, encryption_key, key_arn
from mlplatform_cdk.core.functions import PlatformFunction
from mlplatform_cdk.core.roles import PlatformRole

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


def grant_actions(grantee: iam.IGrantable, actions: Sequence[str], *resources: str) -> iam.Grant:
    """``iam.Grant.add_to_principal``, in a third of its messages to Node where the role is ours."""
    principal = principal_of(grantee)
    if isinstance(principal, PlatformRole):
        return principal.grant_actions(actions, *resources)
    return iam.Grant.add_to_principal(grantee=grantee, actions=[*actions], resource_arns=[*resources])


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
    give(grantee, reading(bucket, prefix=prefix, object_key=object_key))


def grant_write(
    bucket: s3.IBucket,
    grantee: iam.IGrantable,
    *,
    prefix: str = "",
    object_key: str | None = None,
    lists: bool = True,
) -> None:
    """Let ``grantee`` write objects under ``prefix`` (never delete), and use the bucket's key for it.

    :param prefix: only keys that begin with this; default: every key.
    :param object_key: this one object, whatever ``prefix`` says; default: all that the prefix allows.
    :param lists: may it list the bucket, too; default: yes, as most tools that upload look first.
    """
    give(grantee, writing(bucket, prefix=prefix, object_key=object_key, lists=lists))


def grant_list(bucket: s3.IBucket, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` list ``bucket``, and read no object."""
    give(grantee, listing(bucket))


def grant_decrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` read what ``key`` encrypts."""
    give(grantee, decrypting(key))


def grant_encrypt(key: kms.IKey, grantee: iam.IGrantable) -> None:
    """Let ``grantee`` write and read what ``key`` encrypts (multipart uploads decrypt their own parts)."""
    give(grantee, encrypting(key))


def reading(bucket: s3.IBucket, *, prefix: str = "", object_key: str | None = None) -> Access:
    """What ``grant_read`` gives, as a value."""
    return _on_objects(bucket, _READ, _DECRYPT, f"{prefix}*" if object_key is None else object_key)


def writing(bucket: s3.IBucket, *, prefix: str = "", object_key: str | None = None, lists: bool = True) -> Access:
    """What ``grant_write`` gives, as a value."""
    return _on_objects(bucket, _WRITE, _ENCRYPT, f"{prefix}*" if object_key is None else object_key, lists=lists)


def listing(bucket: s3.IBucket) -> Access:
    """What ``grant_list`` gives, as a value."""
    return Access([allowed(_LIST, bucket_arn(bucket))])


def decrypting(key: kms.IKey) -> Access:
    """What ``grant_decrypt`` gives, as a value."""
    return Access([allowed(_DECRYPT, key_arn(key))])


def encrypting(key: kms.IKey) -> Access:
    """What ``grant_encrypt`` gives, as a value."""
    return Access([allowed(_ENCRYPT, key_arn(key))])


def _on_objects(
    bucket: s3.IBucket, on_objects: Sequence[str], on_key: Sequence[str], names: str, *, lists: bool = True
) -> Access:
    arn, key = bucket_arn(bucket), encryption_key(bucket)
    objects = f"{arn}/{names}"
    statements = [allowed(on_objects, objects), *([allowed(_LIST, arn)] if lists else [])]
    if key is not None:
        statements.append(allowed(on_key, key_arn(key)))
    why = "the objects of one prefix, whose names come with the data"
    return Access(statements, patterns={objects: why} if names.endswith("*") else {})


def give(grantee: iam.IGrantable, *access: Access) -> None:
    """Let ``grantee`` do what ``access`` says, and accept beside it what that is found fault with."""
    principal = principal_of(grantee)
    if isinstance(principal, PlatformRole):
        principal.give(*access)
        return
    for one in access:
        for statement in one.statements:
            principal.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
    if isinstance(principal, Construct):
        acknowledge_access(principal, access)
