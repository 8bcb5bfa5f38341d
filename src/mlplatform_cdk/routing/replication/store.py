"""A region's bucket of archives, by a name that every other region can compute."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import resource_of
from mlplatform_cdk.foundation import ArtifactStore
from mlplatform_cdk.routing.replication.alarms import define_alarm, late_copies, replication_metric
from mlplatform_cdk.routing.replication.here import region_here
from mlplatform_cdk.routing.replication.plan import RegionalData

PREFIX = "runs/"
# What replication-time control promises for 99.99 % of new objects:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html
LATEST_S = 15 * 60
_PERIODS = 5


class RegionalArtifacts(ArtifactStore):
    """The artifacts of one region: those made here, and under ``runs/`` the copies of the home's.

    Deployed before the home's ``ModelReplication``, since S3 replicates into buckets that exist and keep versions. It
    rings when copies come later than replication-time control promises: S3 publishes that where the copies are.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html

    :param plan: the regions and their names.
    :param key: encrypts the objects: the one that the plan has for this region, such as ``RegionalKey``'s.
    :param access_logs: the bucket that its access log goes to; default: one for all buckets of its stack.
    :param notifications: hears of copies that are late; default: nobody does.
    :param removal_policy: what happens to the artifacts when the stack goes; default: they are kept.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: RegionalData,
        key: kms.IKey,
        access_logs: s3.IBucket | None = None,
        notifications: sns.ITopic | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id, key=key, access_logs=access_logs, removal_policy=removal_policy)
        region = region_here(self, plan)
        resource = resource_of(self)
        assert isinstance(resource, s3.CfnBucket)
        resource.bucket_name = plan.bucket_name(region)
        if region == plan.home:
            return
        self.late = define_alarm(
            self,
            "Late",
            replication_metric(plan, region, "ReplicationLatency", "Maximum"),
            above=LATEST_S,
            way=late_copies(plan, f"archives of {plan.name} come to {region} more than {LATEST_S // 60} minutes late"),
            periods=_PERIODS,
            notifications=notifications,
        )
        if plan.is_elsewhere(region):
            self._let_in(plan)

    def _let_in(self, plan: RegionalData) -> None:
        """The home's role may replicate, where it is another account's.

        By its ARN as a condition, since S3 refuses a principal that does not exist yet: this bucket comes first.
        """
        for actions, resource in (
            (["s3:ReplicateObject", "s3:ReplicateTags"], self.arn_for_objects(f"{PREFIX}*")),
            (["s3:GetBucketVersioning"], self.bucket_arn),
        ):
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.AccountPrincipal(plan.account)],
                    actions=actions,
                    resources=[resource],
                    conditions={"ArnEquals": {"aws:PrincipalArn": plan.role_arn}},
                )
            )
