"""What CDK Pipelines makes by itself and does not let us make otherwise, each finding with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from aws_cdk import ArnFormat, Stack, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from mlplatform_cdk.core import acknowledge, acknowledge_wildcards

_T = TypeVar("_T")
_PACKS = ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")
_SOURCE = "the source comes through CodePipeline, from a connection that authorizes by OAuth"
_OBJECTS = "a pipeline's artifacts have names that CodePipeline makes up at every run"
_LOGS = "CodeBuild's own log group and reports of this project, whose names end with what the run makes up"
_TAGGED = "the bootstrap roles of this account, singled out by their tag; CDK Pipelines writes it so"
_STAR = (
    "CDK Pipelines looks up the bootstrap stack, its bucket and the state of builds; it writes this statement itself "
    "and takes no other"
)
_REPLICA = "CDK Pipelines makes this bucket; artifacts are made anew from the commit and need no copy"
_REGIONS_KEY = "CDK Pipelines names the key of another region by its alias, which only a wildcard can stand for"


def acknowledge_pipeline(engine: pipelines.CodePipeline, artifacts: s3.IBucket, own_roles: Sequence[iam.Role]) -> None:
    """Accept, on exactly the resources that CDK Pipelines makes or fills, what it leaves no choice in.

    :param own_roles: the roles that we make and CDK Pipelines fills.
    """
    its_roles = list(_below(engine, iam.Role))
    projects = list(_below(engine, codebuild.Project))
    for project in projects:
        acknowledge(project, _in_packs("CodeBuildProjectSourceRepoUrl", _SOURCE))
    names = {arn: _LOGS for project in projects for arn in _names_of(project)}
    for role in (*own_roles, *its_roles):
        acknowledge_wildcards(role, {artifacts.arn_for_objects("*"): _OBJECTS, **names})
    for role in its_roles:
        _acknowledge_role(role)
    _acknowledge_regions(engine.pipeline)


def _acknowledge_role(role: iam.Role) -> None:
    """A role that CDK Pipelines makes: of the self-update, or of all assets of a kind."""
    stack = Stack.of(role)
    patterns = {
        stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/codebuild/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        ): _LOGS,
        stack.format_arn(service="codebuild", resource="report-group", resource_name="*"): _LOGS,
        f"arn:*:iam::{stack.account}:role/*": _TAGGED,
        "*": _STAR,
    }
    acknowledge_wildcards(role, patterns)
    acknowledge(role, _in_packs("IAMNoInlinePolicy", "CDK Pipelines makes this role, and its policy inline"))


def _acknowledge_regions(pipeline: codepipeline.Pipeline) -> None:
    """The buckets for environments in other regions, each in a support stack of CDK Pipelines' own."""
    home = Stack.of(pipeline)
    for support in pipeline.cross_region_support.values():
        if support.stack.node.path == home.node.path:
            continue
        acknowledge(
            support.stack,
            {
                "AwsSolutions-S1": _REPLICA,
                **_in_packs("S3BucketLoggingEnabled", _REPLICA),
                **_in_packs("S3BucketReplicationEnabled", _REPLICA),
                **_in_packs("S3BucketVersioningEnabled", _REPLICA),
            },
        )
        bucket = support.replication_bucket
        actions = ("s3:Abort*", "s3:DeleteObject*", "s3:GetBucket*", "s3:GetObject*", "s3:List*")
        key_actions = ("kms:GenerateDataKey*", "kms:ReEncrypt*")
        acknowledge(
            pipeline.role,
            {f"AwsSolutions-IAM5[Action::{action}]": _REPLICA for action in (*actions, *key_actions)},
        )
        acknowledge_wildcards(pipeline.role, {bucket.arn_for_objects("*"): _OBJECTS, "*": _REGIONS_KEY})


def _in_packs(rule: str, reason: str) -> Mapping[str, str]:
    return {f"{pack}-{rule}": reason for pack in _PACKS}


def _below(scope: IConstruct, kind: type[_T]) -> Iterator[_T]:
    return (child for child in scope.node.find_all() if isinstance(child, kind))


def _names_of(project: codebuild.Project) -> Iterator[str]:
    stack = Stack.of(project)
    yield stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"/aws/codebuild/{project.project_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    yield stack.format_arn(service="codebuild", resource="report-group", resource_name=f"{project.project_name}-*")
