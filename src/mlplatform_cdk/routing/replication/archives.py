"""What runs leave in the home's bucket comes to every other region within minutes, by S3 itself."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformRole,
    acknowledge_wildcards,
    allowed,
    key_arn,
    resource_of,
    stack_of,
)
from mlplatform_cdk.core.access import Access, Statement
from mlplatform_cdk.routing.replication.alarms import define_alarm, late_copies, replication_metric
from mlplatform_cdk.routing.replication.here import require_home
from mlplatform_cdk.routing.replication.plan import RegionalData
from mlplatform_cdk.routing.replication.store import LATEST_S, PREFIX

_Bucket = s3.CfnBucket
_ENABLED, _DISABLED = "Enabled", "Disabled"
_LATEST = _Bucket.ReplicationTimeValueProperty(minutes=LATEST_S // 60)  # the only value that S3 takes
_OBJECTS = f"{PREFIX}*"


class ModelReplication(Construct):
    """Replicates ``runs/`` of the home's bucket to the bucket of each other region, with replication-time control.

    99.99 % of new objects arrive within 15 minutes; the rest rings: what failed here, what is late there (see
    ``RegionalArtifacts``). Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html

    Delete markers are not replicated: what is deleted at home, by mistake or by a rule of age, still serves elsewhere,
    and goes there by that bucket's own rules. So the role may delete nothing. What lay here before the replication did
    stays here; S3 Batch Replication brings it. A copy's own copies are not replicated on.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html

    The other regions' buckets are deployed first. That a copy is there says nothing about its content: a release train
    checks digests before it releases.

    :param plan: the regions and their names.
    :param source: the home's bucket, of this app, such as ``RegionalArtifacts``: encrypted with a key, with versions.
    :param notifications: hears of what failed; default: nobody does.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: RegionalData,
        source: s3.Bucket,
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        require_home(self, plan)
        if not plan.others:
            raise ConfigurationError(self, f"the plan must have another region than its home {plan.home}, got none")
        resource, key = self._check(plan, source)
        self.role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
            description=f"Replicates archives of {plan.name} to other regions",
        )
        # By this name the buckets and keys of other accounts let it in.
        resource_of(self.role).add_property_override("RoleName", plan.role_name)
        self.role.give(_access(plan, key))
        self._say_wildcards(plan)
        resource.replication_configuration = _Bucket.ReplicationConfigurationProperty(
            role=self.role.role_arn,
            rules=[_rule(plan, region, priority) for priority, region in enumerate(sorted(plan.others), start=1)],
        )
        self.failed: dict[str, cloudwatch.Alarm] = {
            region: define_alarm(
                Construct(self, region),
                "Failed",
                replication_metric(plan, region, "OperationsFailedReplication", "Sum"),
                above=0,
                way=late_copies(plan, f"archives of {plan.name} did not come to {region}"),
                periods=1,
                notifications=notifications,
            )
            for region in plan.others
        }

    def _check(self, plan: RegionalData, source: s3.Bucket) -> tuple[s3.CfnBucket, kms.IKey]:
        """The source's resource and key, where S3 could replicate from it."""
        resource = source.node.default_child
        if not isinstance(resource, s3.CfnBucket):
            raise ConfigurationError(self, "source must be a bucket of this app, got one that was imported")
        versions = resource.versioning_configuration
        if getattr(versions, "status", None) != _ENABLED:
            raise ConfigurationError(self, "source must keep versions, as S3 asks of both sides, got a bucket without")
        if source.encryption_key is None:
            raise ConfigurationError(self, "source must be encrypted with a key of the platform's, got one without")
        if resource.replication_configuration is not None:
            raise ConfigurationError(self, "source must have no other replication, since a bucket has one, got another")
        named, wanted = stack_of(source).resolve(resource.bucket_name), plan.bucket_name(plan.home)
        if named is None and plan.home_bucket is None:
            raise ConfigurationError(
                self, f"source must have the plan's name {wanted!r}, got a generated one; give that as home_bucket"
            )
        if named is not None and named != wanted:
            raise ConfigurationError(self, f"source must have the plan's name {wanted!r}, got {named!r}")
        return resource, source.encryption_key

    def _say_wildcards(self, plan: RegionalData) -> None:
        objects = "the archives of runs, whose names come with the runs"
        acknowledge_wildcards(
            self.role,
            {f"{plan.bucket_arn(region)}/{_OBJECTS}": objects for region in plan.accounts}
            | {
                _keys_of(plan, region): "the id of a key is known in its own region only; the alias narrows it to one"
                for region in plan.others
                if region not in plan.key_arns
            },
        )


def _rule(plan: RegionalData, region: str, priority: int) -> s3.CfnBucket.ReplicationRuleProperty:
    return _Bucket.ReplicationRuleProperty(
        id=plan.rule_id(region),
        priority=priority,
        status=_ENABLED,
        filter=_Bucket.ReplicationRuleFilterProperty(prefix=PREFIX),
        delete_marker_replication=_Bucket.DeleteMarkerReplicationProperty(status=_DISABLED),
        # Without this S3 leaves out, silently, whatever a key of KMS encrypts.
        source_selection_criteria=_Bucket.SourceSelectionCriteriaProperty(
            sse_kms_encrypted_objects=_Bucket.SseKmsEncryptedObjectsProperty(status=_ENABLED)
        ),
        destination=_Bucket.ReplicationDestinationProperty(
            bucket=plan.bucket_arn(region),
            encryption_configuration=_Bucket.EncryptionConfigurationProperty(replica_kms_key_id=plan.key_arn(region)),
            metrics=_Bucket.MetricsProperty(status=_ENABLED, event_threshold=_LATEST),
            replication_time=_Bucket.ReplicationTimeProperty(status=_ENABLED, time=_LATEST),
        ),
    )


def _access(plan: RegionalData, key: kms.IKey) -> Access:
    """What S3 asks of the role, and nothing more; ``s3:ReplicateDelete`` is for delete markers.

    The bucket by its name and not by a reference: it waits for the role, and the role for these permissions.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html and, for keys,
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """
    reads = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")
    source_arn = plan.bucket_arn(plan.home)
    here = _through_s3(plan.home, source_arn)
    return Access(
        [
            allowed(["s3:GetReplicationConfiguration", "s3:ListBucket"], source_arn),
            allowed(reads, f"{source_arn}/{_OBJECTS}"),
            allowed(["kms:Decrypt"], key_arn(key), conditions={"StringLike": here}),
            *(statement for region in plan.others for statement in _access_to(plan, region)),
        ]
    )


def _access_to(plan: RegionalData, region: str) -> list[Statement]:
    """What it may do in one other region: a bucket key there is decrypted, to check it, before it encrypts."""
    bucket = plan.bucket_arn(region)
    conditions: dict[str, dict[str, str | list[str]]] = {"StringLike": _through_s3(region, bucket)}
    key = plan.key_arns.get(region)
    if key is None:
        key = _keys_of(plan, region)
        conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": plan.key_alias}
    return [
        allowed(["s3:ReplicateObject", "s3:ReplicateTags"], f"{bucket}/{_OBJECTS}"),
        allowed(["kms:Decrypt", "kms:Encrypt"], key, conditions=conditions),
    ]


def _through_s3(region: str, bucket_arn: str) -> dict[str, str | list[str]]:
    """With a bucket key the context is the bucket, and without one it is the object."""
    return {
        "kms:ViaService": f"s3.{region}.*",
        "kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/{_OBJECTS}"],
    }


def _keys_of(plan: RegionalData, region: str) -> str:
    return f"arn:{plan.partition}:kms:{region}:{plan.accounts[region]}:key/*"
