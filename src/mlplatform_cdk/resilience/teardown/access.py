"""What the functions of a teardown may do, kind by kind."""

from collections.abc import Sequence

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import Access, allowed, arn_of, bucket_arn, machine_arn, machine_name
from mlplatform_cdk.registry import ModelRegistry

_LISTS = "X-Ray's calls and SageMaker's lists take no resource"
_OF_JOBS = ("ListProcessingJobs", "ListTrainingJobs", "StopProcessingJob", "StopTrainingJob")


def ending(scope: Construct, machines: Sequence[sfn.StateMachine], *, sees_others: bool = False) -> Access:
    """Ends the executions of ``machines``.

    :param sees_others: another access lets it look at those and at any others; default: it looks at those alone.
    """
    executions = [arn_of(scope, "states", f"execution:{machine_name(one)}:*") for one in machines]
    looks = [] if sees_others else ["states:DescribeExecution"]
    return Access(
        [
            allowed(["states:ListExecutions"], *map(machine_arn, machines)),
            allowed([*looks, "states:StopExecution"], *executions),
        ],
        patterns=dict.fromkeys(executions, "the executions of one machine, whose names come with them"),
    )


def ending_jobs(scope: Construct, prefixes: Sequence[str]) -> Access:
    """Ends the jobs whose names begin with ``prefixes``; without any, its function asks for none."""
    if not prefixes:
        none = "only machines without SageMaker jobs are stopped here"
        return Access([], findings={f"permission-missing[sagemaker:{action}]": none for action in _OF_JOBS})
    training = [arn_of(scope, "sagemaker", f"training-job/{one}-*") for one in prefixes]
    processing = [arn_of(scope, "sagemaker", f"processing-job/{one}-*") for one in prefixes]
    said = "the jobs of a pipeline, which carry its name and the run's id"
    return Access(
        [
            allowed(["sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs"], "*"),
            allowed(["sagemaker:StopTrainingJob"], *training),
            allowed(["sagemaker:StopProcessingJob"], *processing),
        ],
        patterns={**dict.fromkeys((*training, *processing), said), "*": _LISTS},
    )


def leaving_studio(scope: Construct, domains: Sequence[str]) -> Access:
    """Stops apps, and deletes spaces and profiles, of ``domains``."""
    apps, spaces, profiles = (
        [arn_of(scope, "sagemaker", f"{kind}/{one}/*") for one in domains] for kind in ("app", "space", "user-profile")
    )
    people = "people make apps, spaces and profiles of this domain by themselves"
    return Access(
        [
            allowed(["sagemaker:ListApps", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles"], "*"),
            allowed(["sagemaker:DeleteApp"], *apps),
            allowed(["sagemaker:DeleteSpace"], *spaces),
            allowed(["sagemaker:DeleteUserProfile"], *profiles),
        ],
        patterns={**dict.fromkeys((*apps, *spaces, *profiles), people), "*": _LISTS},
    )


def deleting_versions(registries: Sequence[ModelRegistry]) -> Access:
    """Deletes the versions in ``registries``."""
    versions = [one.model_package_arns for one in registries]
    groups = [one.model_package_group_arn for one in registries]
    return Access(
        [
            allowed(["sagemaker:ListModelPackages"], *groups, *versions),
            allowed(["sagemaker:DeleteModelPackage"], *versions),
        ],
        patterns=dict.fromkeys(versions, "the versions of one group, which come by runs"),
    )


def emptying(buckets: Sequence[s3.Bucket]) -> Access:
    """Shuts and empties ``buckets``."""
    objects = [f"{bucket_arn(one)}/*" for one in buckets]
    return Access(
        [
            allowed(
                [
                    "s3:GetBucketPolicy",
                    "s3:ListBucket",
                    "s3:ListBucketMultipartUploads",
                    "s3:ListBucketVersions",
                    "s3:PutBucketPolicy",
                ],
                *map(bucket_arn, buckets),
            ),
            allowed(["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion"], *objects),
        ],
        patterns=dict.fromkeys(objects, "every object of a bucket that is deleted next"),
        findings={"permission-unused[s3:DeleteObjectVersion]": "DeleteObjects needs it where it names versions"},
    )
