"""What CDK Pipelines makes by itself and does not let us make otherwise, each finding with its reason."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from aws_cdk import ArnFormat, Stack, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from mlplatform_cdk.core import (
    accept_checkov,
    accept_lint,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
)

_T = TypeVar("_T")
_SOURCE = "the source comes through CodePipeline, from a connection that authorizes by OAuth"
_OBJECTS = "a pipeline's artifacts have names that CodePipeline makes up at every run"
_LOGS = "CodeBuild's own log group and reports of this project, whose names end with what the run makes up"
_TAGGED = "the bootstrap roles of this account, singled out by their tag; CDK Pipelines writes it so"
_STAR = (
    "CDK Pipelines looks up the bootstrap stack, its bucket and the state of builds; it writes this statement itself "
    "and takes no other"
)
_REPLICA = "CDK Pipelines makes this bucket; artifacts are made anew from the commit and need no copy"
_GRANTED = "CDK Pipelines hands these out on the bucket that it makes in another region, and takes no narrower list"
_GRANTS = (
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
    "s3:Abort*",
    "s3:DeleteObject*",
    "s3:GetBucket*",
    "s3:GetObject*",
    "s3:List*",
)
_REGIONS_KEY = "CDK Pipelines names the key of another region by its alias, which only a wildcard can stand for"
_JOINED = "an advice on style, Fn::Sub over Fn::Join in the ARNs of the bootstrap roles, which CDK writes"
_ORDERED = "CDK orders a pipeline after its role twice; harmless, and CDK offers no way out"


def acknowledge_pipeline(engine: pipelines.CodePipeline, artifacts: s3.IBucket, own_roles: Sequence[iam.Role]) -> None:
    """Accept, on exactly the resources that CDK Pipelines makes or fills, what it leaves no choice in.

    :param own_roles: the roles that we make and CDK Pipelines fills.
    """
    its_roles = list(_below(engine, iam.Role))
    projects = list(_below(engine, codebuild.Project))
    for project in projects:
        acknowledge_controls(project, {"CodeBuildProjectSourceRepoUrl": _SOURCE})
    names = {arn: _LOGS for project in projects for arn in _names_of(project)}
    for role in (*own_roles, *its_roles):
        acknowledge_wildcards(role, {artifacts.arn_for_objects("*"): _OBJECTS, **names})
    for role in its_roles:
        _acknowledge_role(role)
        if _starts_builds(role):
            policy = role.node.find_child("DefaultPolicy")
            accept_checkov(policy, {"CKV_AWS_111": _STAR})
    _acknowledge_regions(engine.pipeline)
    resource = engine.pipeline.node.default_child
    assert isinstance(resource, codepipeline.CfnPipeline)
    accept_lint(resource, {"E3703": _JOINED, "W3005": _ORDERED})


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
    acknowledge_controls(role, {"IAMNoInlinePolicy": "CDK Pipelines makes this role, and its policy inline"})


def _starts_builds(role: iam.Role) -> bool:
    """Whether it is a role of CDK Pipelines' assets, which may start any build: the policy says so."""
    return role.node.id in {"DockerRole", "FileRole"}


def _acknowledge_regions(pipeline: codepipeline.Pipeline) -> None:
    """The buckets for environments in other regions, each in a support stack of CDK Pipelines' own."""
    home = Stack.of(pipeline)
    if any(one.stack.node.path != home.node.path for one in pipeline.cross_region_support.values()):
        accept_checkov(pipeline.role.node.find_child("Permissions"), {"CKV_AWS_111": _REGIONS_KEY})
    for support in pipeline.cross_region_support.values():
        if support.stack.node.path == home.node.path:
            continue
        acknowledge(support.stack, {"AwsSolutions-S1": _REPLICA})
        acknowledge_controls(
            support.stack,
            dict.fromkeys(
                ("S3BucketLoggingEnabled", "S3BucketReplicationEnabled", "S3BucketVersioningEnabled"), _REPLICA
            ),
        )
        acknowledge(pipeline.role, {f"AwsSolutions-IAM5[Action::{action}]": _GRANTED for action in _GRANTS})
        accept_checkov(support.replication_bucket, {"CKV_AWS_18": _REPLICA, "CKV_AWS_21": _REPLICA})
        objects = support.replication_bucket.arn_for_objects("*")
        acknowledge_wildcards(pipeline.role, {objects: _OBJECTS, "*": _REGIONS_KEY})


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
