"""What lies between two steps of a pipeline: a bucket and its key that hand out exact permissions.

CDK's own ``grant_*`` hand out ``s3:GetObject*`` and ``kms:ReEncrypt*``. CDK Pipelines calls them on what it is given,
which therefore answers with the actions that CodePipeline, CodeBuild and CloudFormation make use of.
"""

from collections.abc import Sequence
from typing import Any

import jsii
from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import acknowledge
from mlplatform_cdk.foundation import PlatformBucket

_DECRYPT = ("kms:Decrypt", "kms:DescribeKey")
_ENCRYPT = (
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
_BUCKET = ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket")
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:AbortMultipartUpload", "s3:PutObject")


class ArtifactKey(kms.Key):
    """The key of a pipeline's artifacts and logs; it rotates every year.

    :param removal_policy: what happens to the key when its stack goes.
    """

    def __init__(self, scope: Construct, id: str, *, removal_policy: RemovalPolicy) -> None:
        super().__init__(
            scope,
            id,
            description="Encrypts the artifacts and logs of the delivery pipeline",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        stack = Stack.of(self)
        groups = stack.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisAccount",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[*_DECRYPT, *_ENCRYPT],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    @jsii.member(jsii_name="grantDecrypt")
    def grant_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` read what the key encrypts."""
        return self._grant(grantee, _DECRYPT)

    @jsii.member(jsii_name="grantEncrypt")
    def grant_encrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` write with the key; multipart uploads read their own parts."""
        return self._grant(grantee, (*_DECRYPT, *_ENCRYPT))

    @jsii.member(jsii_name="grantEncryptDecrypt")
    def grant_encrypt_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` read and write with the key."""
        return self._grant(grantee, (*_DECRYPT, *_ENCRYPT))

    def _grant(self, grantee: iam.IGrantable, actions: Sequence[str]) -> iam.Grant:
        return iam.Grant.add_to_principal_or_resource(
            grantee=grantee,
            actions=list(actions),
            resource_arns=[self.key_arn],
            resource=self,
            resource_self_arns=["*"],
        )


class ArtifactBucket(PlatformBucket):
    """The bucket of a pipeline's artifacts; who writes never deletes, old versions go by age."""

    @jsii.member(jsii_name="grantRead")
    def grant_read(self, identity: iam.IGrantable, objects_key_pattern: Any = None) -> iam.Grant:
        """Let ``identity`` read the artifacts."""
        return self._grant(identity, _READ, objects_key_pattern)

    @jsii.member(jsii_name="grantReadWrite")
    def grant_read_write(self, identity: iam.IGrantable, objects_key_pattern: Any = None) -> iam.Grant:
        """Let ``identity`` read and write artifacts."""
        return self._grant(identity, (*_READ, *_WRITE), objects_key_pattern)

    @jsii.member(jsii_name="grantPutAcl")
    def grant_put_acl(self, identity: iam.IGrantable, objects_key_pattern: str | None = None) -> iam.Grant:  # noqa: ARG002 -- CDK's signature
        """Grant nothing: the bucket's owner owns every object, so access lists have no say."""
        return iam.Grant.drop(identity, "the bucket takes no access lists")

    def _grant(self, grantee: iam.IGrantable, actions: Sequence[str], pattern: str | None) -> iam.Grant:
        key = self.encryption_key
        assert isinstance(key, ArtifactKey)
        if set(_WRITE) & set(actions):
            key.grant_encrypt_decrypt(grantee)
        else:
            key.grant_decrypt(grantee)
        self._add(grantee, _BUCKET, self.bucket_arn)
        return self._add(grantee, actions, self.arn_for_objects(pattern or "*"))

    def _add(self, grantee: iam.IGrantable, actions: Sequence[str], arn: str) -> iam.Grant:
        return iam.Grant.add_to_principal_or_resource(
            grantee=grantee, actions=list(actions), resource_arns=[arn], resource=self
        )


def acknowledge_replicas(bucket: ArtifactBucket) -> None:
    """The findings that any artifact bucket has: nothing in it is worth a second copy."""
    reason = "artifacts are made anew from the commit; a copy elsewhere would protect nothing"
    acknowledge(
        bucket,
        {f"{pack}-S3BucketReplicationEnabled": reason for pack in ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")},
    )
