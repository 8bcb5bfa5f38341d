"""Builds the serving image in AWS while the stack is deployed, into a repository of its own."""

import hashlib
import json

from aws_cdk import ArnFormat, CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from mlplatform_cdk.core import (
    BuildRole,
    PlatformFunction,
    PlatformImage,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
    arn_of,
    container_context,
    dockerfile_path,
    permission,
)
from mlplatform_cdk.serving.image import CONTAINER, SAGEMAKER_USER, Processor, build_arguments, without_tensorrt
from mlplatform_cdk.serving.image_pipeline.build_steps import build_spec
from mlplatform_cdk.serving.image_pipeline.lifecycle import lifecycle_policy
from mlplatform_cdk.serving.image_pipeline.registry import ImageRegistry

_RUNTIME = "mlplatform_cdk.serving.image_pipeline.runtime"
_LONGEST = Duration.minutes(14)  # the function that waits has Lambda's longest, 15
_ON_ARM: codebuild.IBuildImage = codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0
_ON_X86: codebuild.IBuildImage = codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5
_GIGABYTES = codebuild.ComputeType.LARGE  # CUDA and cuDNN are several, to be pulled and pushed within _LONGEST
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_TAG_LENGTH = 32


class ImagePipeline(PlatformImage):
    """The serving image, built by CodeBuild when its content changes: it takes no Docker where the app is deployed.

    It is a ``PlatformImage``, and takes the place of a ``ServingImage``. Hand the same one to the retraining pipeline,
    whose models name it, and to the endpoint, whose role may pull its image alone. A ``JobImage`` is not built here.

    The repository scans on push, never lets a tag change its image, is encrypted with ``key`` and keeps the newest
    images; the tag is the hash of the content, so the same content is built once. A deployment waits for the build,
    fourteen minutes at most, and for ECR's signature, and fails with either.

    :param registry: the rules of the account's registry, which sign and copy the image.
    :param name: of the image; the repository is ``<prefix of the registry>/<name>``.
    :param key: encrypts the repository, the build and its logs.
    :param processor: what it runs on; default: x86-64.
    :param base_image: what it stands on, at best by digest; default: what the Dockerfile says.
    :param openvino: whether it has OpenVINO, too; see ``ServingImage``; default: no.
    :param user: who it runs as; default: root, which SageMaker hosting expects.
    :param kept_images: how many images the repository keeps; default: 20.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        registry: ImageRegistry,
        name: str,
        key: kms.IKey,
        processor: Processor = Processor.X86_64,
        base_image: str | None = None,
        openvino: bool = False,
        user: str = SAGEMAKER_USER,
        kept_images: int = 20,
    ) -> None:
        # jsii gives `self` its identity in super().__init__, which names the image: so its parts are beside it.
        parts = Construct(scope, f"{id}Build")
        repository = _define_repository(parts, f"{registry.prefix}/{name}", key, kept_images)
        context = container_context(parts, "Context", dockerfile_package=CONTAINER)
        arguments = build_arguments(scope, id, processor, user, base_image, openvino=openvino)
        variables = _variables(context, repository, processor, arguments, registry)
        project = _define_project(parts, key, processor, registry, repository, context)
        build = _define_build(parts, key, project, repository, variables)
        build.node.add_dependency(registry)
        super().__init__(
            scope,
            id,
            # Of the build, so that what runs the image waits for it; without the tag, since an export that another
            # stack imports cannot change.
            image_uri=f"{build.get_att_string('Repository')}:{variables['TAG']}",
            version=variables["TAG"],
            repository_arn=repository.repository_arn,
        )
        self.processor = processor
        self.without_tensorrt = without_tensorrt(processor, base_image)
        self.repository = repository
        self.project = project


def _variables(
    context: s3_assets.Asset,
    repository: ecr.Repository,
    processor: Processor,
    arguments: dict[str, str],
    registry: ImageRegistry,
) -> dict[str, str]:
    # ECR copies what is pushed from then on: a new region needs a new tag to get the image.
    made_of = [context.asset_hash, processor.value, arguments, build_spec(), _machine(processor).image_id]
    recipe = json.dumps([*made_of, sorted(registry.copies_to)], sort_keys=True)
    return arguments | {
        "CONTEXT": f"{context.s3_bucket_name}/{context.s3_object_key}",
        "DOCKERFILE": dockerfile_path(CONTAINER, processor.dockerfile),
        "PLATFORM": processor.platform.platform,
        "REPOSITORY": repository.repository_uri,
        "TAG": hashlib.sha256(recipe.encode()).hexdigest()[:_TAG_LENGTH],
    }


def _machine(processor: Processor) -> codebuild.IBuildImage:
    return _ON_ARM if processor is Processor.ARM64 else _ON_X86


def _define_repository(scope: Construct, name: str, key: kms.IKey, kept_images: int) -> ecr.Repository:
    repository = ecr.Repository(
        scope,
        "Repository",
        repository_name=name,
        encryption=ecr.RepositoryEncryption.KMS,
        encryption_key=key,
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    resource = repository.node.default_child
    assert isinstance(resource, ecr.CfnRepository)
    # Its name is given: kept by a first deployment that failed, it would be in the way of the next one. CloudFormation
    # deletes it, with what it holds, then and never else; CDK would refuse this beside a policy that retains.
    resource.empty_on_delete = True
    resource.lifecycle_policy = ecr.CfnRepository.LifecyclePolicyProperty(
        lifecycle_policy_text=lifecycle_policy(scope, kept_images)
    )
    return repository


def _define_project(
    scope: Construct,
    key: kms.IKey,
    processor: Processor,
    registry: ImageRegistry,
    repository: ecr.Repository,
    context: s3_assets.Asset,
) -> codebuild.Project:
    role = BuildRole(scope, "Role", description="Builds, pushes and signs the serving image")
    project = codebuild.Project(
        scope,
        "Project",
        description="Builds the serving image",
        build_spec=codebuild.BuildSpec.from_object(build_spec()),
        environment=codebuild.BuildEnvironment(
            build_image=_machine(processor),
            compute_type=_GIGABYTES if processor is Processor.NVIDIA_GPU else codebuild.ComputeType.MEDIUM,
            privileged=True,
        ),
        grant_report_group_permissions=False,
        logging=codebuild.LoggingOptions(
            cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=_define_logs(scope, key))
        ),
        role=role,
        timeout=_LONGEST,
    )
    # By hand: with it, CDK would let the role use the key, though the build leaves no artifact to encrypt.
    resource = project.node.default_child
    assert isinstance(resource, codebuild.CfnProject)
    resource.encryption_key = key.key_arn
    for statement in (
        permission(_PUSH, repository.repository_arn),
        permission(["ecr:GetAuthorizationToken"], "*"),
        permission(["s3:GetObject"], context.bucket.arn_for_objects(context.s3_object_key)),
    ):
        role.add_to_policy(statement)
    registry.allow_signing(role)
    _accept_findings(project, role)
    return project


def _define_logs(scope: Construct, key: kms.IKey) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        "Logs",
        encryption_key=key,
        retention=logs.RetentionDays.SIX_MONTHS,
        removal_policy=RemovalPolicy.DESTROY,
    )


def _accept_findings(project: codebuild.Project, role: BuildRole) -> None:
    reason = (
        "Docker builds the image, which takes a privileged container; CodeBuild gives each build a machine of its own"
    )
    acknowledge(project, {"AwsSolutions-CB3": reason})
    source = "the source is an asset of this app in S3, by its hash; no repository is cloned"
    acknowledge_controls(project, {"CodeBuildProjectSourceRepoUrl": source})
    group = Stack.of(project).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"/aws/codebuild/{project.project_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    acknowledge_wildcards(
        role,
        {
            "*": "ECR's login takes no resource",
            group: "CodeBuild's own log group of this project, whose streams' names the run makes up",
        },
    )


def _define_build(
    scope: Construct,
    key: kms.IKey,
    project: codebuild.Project,
    repository: ecr.Repository,
    variables: dict[str, str],
) -> CustomResource:
    function = PlatformFunction(
        scope,
        "Function",
        package=_RUNTIME,
        description="Builds the serving image while the stack is deployed, and waits for it",
        timeout=Duration.minutes(15),
        key=key,
    )
    function.platform_role.allow(
        permission(
            ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
            arn_of(scope, "codebuild", f"project/{project.project_name}"),
        )
    )
    function.platform_role.allow(permission(["ecr:DescribeImageSigningStatus"], repository.repository_arn))
    build = CustomResource(
        scope,
        "Image",
        service_token=function.function_arn,
        resource_type="Custom::ServingImage",
        service_timeout=Duration.minutes(20),
        properties={"Project": project.project_name, "Variables": variables},
    )
    assert project.role
    build.node.add_dependency(project.role)  # and with it, its permissions
    return build
