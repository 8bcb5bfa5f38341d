"""A region's key, found by an alias that is the same everywhere; one key of all regions, or one for each."""

import re

from aws_cdk import CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, resource_of
from mlplatform_cdk.foundation import Keys
from mlplatform_cdk.routing.replication.here import region_here
from mlplatform_cdk.routing.replication.plan import RegionalData

_PRIMARY = re.compile(r"arn:(?P<partition>[a-z-]+):kms:(?P<region>[a-z0-9-]+):\d{12}:key/mrk-[0-9a-f]{32}")


class RegionalKey(Construct):
    """The key of this region's archives and tables, behind ``plan.key_alias``, with the key policy of ``Keys``.

    By default each region has a key of its own: who loses one loses one region. A multi-Region key has the same id and
    material everywhere, so that what was encrypted in one region can be decrypted in another without a call across. S3
    and DynamoDB need none: both decrypt and encrypt again on the way, and treat such a key as any other.
    Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html

    Each key has its own policy, multi-Region or not; KMS copies material and rotation, and no policy and no alias.
    Whether a key is multi-Region cannot be changed later: CloudFormation fails then, and deletes nothing.

    :param plan: the regions and their names.
    :param multi_region: is it the first of a multi-Region key; in the home's stack only; default: no.
    :param primary_key_arn: the ARN of the home's multi-Region key, of which this is the replica; it exists once the
        home's stack is deployed, and is given as text then; default: this key is its own.
    :param removal_policy: what happens to the key when its stack goes; default: it is kept. KMS deletes no primary
        before its replicas.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: RegionalData,
        multi_region: bool = False,
        primary_key_arn: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        region = region_here(self, plan)
        self.key: kms.Key = Keys(self, "Keys", removal_policy=removal_policy).data
        resource = resource_of(self.key)
        if multi_region:
            if region != plan.home:
                raise ConfigurationError(self, f"multi_region must be said at home in {plan.home}, got it in {region}")
            resource.add_property_override("MultiRegion", True)
        if primary_key_arn is not None:
            self._check(plan, region, primary_key_arn)
            _make_replica(resource, primary_key_arn)
        kms.CfnAlias(self, "Alias", alias_name=plan.key_alias, target_key_id=self.key.key_arn)
        if plan.is_elsewhere(region):
            self.key.add_to_resource_policy(_replication(plan, region))

    def _check(self, plan: RegionalData, region: str, arn: str) -> None:
        match = _PRIMARY.fullmatch(arn)
        if match is None or match["region"] != plan.home:
            raise ConfigurationError(
                self, f"primary_key_arn must be that of a multi-Region key (mrk-…) in {plan.home}, got {arn!r}"
            )
        if region == plan.home:
            raise ConfigurationError(self, f"a replica key must lie in another region than its primary, got {region}")


def _make_replica(resource: CfnResource, primary_key_arn: str) -> None:
    """The same key policy, on a key whose material and rotation are the primary's.

    A ``kms.Key`` whose resource has the other type, since CDK has no construct for it that takes policies and grants.
    """
    resource.add_override("Type", "AWS::KMS::ReplicaKey")
    resource.add_property_override("PrimaryKeyArn", primary_key_arn)
    resource.add_property_deletion_override("EnableKeyRotation")


def _replication(plan: RegionalData, region: str) -> iam.PolicyStatement:
    """Lets the replication of another account encrypt here, and check the bucket's key as it does so.

    By the role's ARN as a condition: KMS refuses a principal that does not exist yet.
    """
    return iam.PolicyStatement(
        sid="ReplicationOfTheHome",
        principals=[iam.AccountPrincipal(plan.account)],
        actions=["kms:Decrypt", "kms:Encrypt"],
        resources=["*"],
        conditions={
            "ArnEquals": {"aws:PrincipalArn": plan.role_arn},
            "StringLike": {"kms:ViaService": f"s3.{region}.*"},
        },
    )
