"""What a train needs at a place that it goes to: a role to come as, a place for images, and word of what is there."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformRole,
    acknowledge_wildcards,
    arn_of,
    grant_read,
    grant_write,
    permission,
    resource_of,
    stack_of,
)
from mlplatform_cdk.core.images import PULL_ACTIONS
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.release.train.waves import check_external_id, parameter_name, role_name
from mlplatform_cdk.serving import ReleasedEndpoint

# Below runs/, which the models' and the releases' roles may read.
PREFIX = "runs/promoted/"
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_REPLICAS = "the repositories that ECR replicates here, whose names come with the images"
_FEWEST_BESIDE = 2  # green and blue, beside the versions that a release keeps


class TrainStation(Construct):
    """Lets the train of another account, or of this one, bring versions to ``endpoint`` and release them there.

    Its role may add versions to the registry, read ``runs/`` and write below ``runs/promoted/``, push images to one
    repository, and start, watch and take back releases of this one endpoint. It is entered with the external id only.

    :param endpoint: what is released to.
    :param release: its releases.
    :param registry: where the promoted versions come.
    :param artifacts: where their archives come; of the same key as the endpoint.
    :param train_account: whose roles may come as this one.
    :param external_id: what they have to say, the same as the train's ``Stop`` has.
    :param kept_images: promoted images that stay, the newest; an older one goes, also where a version of it would be
        wanted back: more than the serving image changes while a version serves or is kept; default: 20.
    :param replicated_images: how the names of repositories begin whose images ECR replicates here from the train's
        home; one that is here by its digest is served from where it is; default: none, so that each is copied.
    :param removal_policy: what happens to the promoted images when the stack goes; default: they are kept.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first six has a default
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        release: BlueGreenRelease,
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        train_account: str,
        external_id: str,
        kept_images: int = 20,
        replicated_images: Sequence[str] = (),
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        try:
            check_external_id(external_id)
        except ValueError as problem:
            raise ConfigurationError(self, str(problem)) from None
        fewest = release.strategy.kept_versions + _FEWEST_BESIDE
        if kept_images < fewest:
            message = f"kept_images must be at least {fewest}, of green, blue and the kept versions, got {kept_images}"
            raise ConfigurationError(self, message)
        self.images = ecr.Repository(
            self,
            "Images",
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=endpoint.key,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=kept_images)],
            removal_policy=removal_policy,
            empty_on_delete=removal_policy is RemovalPolicy.DESTROY or None,
        )
        replicas = {arn_of(self, "ecr", f"repository/{prefix}*"): _REPLICAS for prefix in replicated_images}
        endpoint.model_role.allow(permission(PULL_ACTIONS[:-1], self.images.repository_arn, *replicas))
        acknowledge_wildcards(endpoint.model_role, replicas)
        address = self._define_address(endpoint, release, registry, artifacts, replicated_images)
        self.role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.AccountPrincipal(train_account),
            description=f"Lets a release train bring versions to {endpoint.endpoint_name}",
            external_ids=[external_id],
        )
        # By this name a train knows it before there is a stack to ask.
        name = role_name(endpoint.endpoint_name, stack_of(self).region)
        resource_of(self.role).add_property_override("RoleName", name)
        endpoint.image.grant_find(self.role)
        if replicas:
            self.role.allow(permission(["ecr:BatchGetImage"], *replicas))
            acknowledge_wildcards(self.role, replicas)
        # A release looks whether its version's image is there, wherever that came from.
        releasing = release.function.platform_role
        releasing.allow(permission(["ecr:BatchGetImage"], self.images.repository_arn, *replicas))
        acknowledge_wildcards(releasing, replicas)
        self._grant(release, registry, artifacts, address)

    def _define_address(
        self,
        endpoint: ReleasedEndpoint,
        release: BlueGreenRelease,
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        replicated: Sequence[str],
    ) -> ssm.StringParameter:
        told = {
            "machine": release.state_machine.state_machine_arn,
            "group": registry.model_package_group_name,
            "bucket": artifacts.bucket_name,
            "prefix": PREFIX,
            "repository": self.images.repository_name,
            "image": endpoint.image.image_uri,
        } | ({"replicated": [*replicated]} if replicated else {})
        return ssm.StringParameter(
            self,
            "Address",
            parameter_name=parameter_name(endpoint.endpoint_name),
            string_value=stack_of(self).to_json_string(told),
            description=f"What a release train finds at {endpoint.endpoint_name}",
        )

    def _grant(
        self, release: BlueGreenRelease, registry: ModelRegistry, artifacts: s3.IBucket, address: ssm.StringParameter
    ) -> None:
        machine = release.state_machine
        executions = arn_of(self, "states", f"execution:{machine.state_machine_name}:*")
        self.role.allow(
            permission(["ssm:GetParameter"], address.parameter_arn),
            permission(["states:StartExecution"], machine.state_machine_arn),
            permission(["states:DescribeExecution"], executions),
            permission(_PUSH, self.images.repository_arn),
        )
        registry.grant_read(self.role)
        registry.grant_register(self.role)
        grant_write(artifacts, self.role, prefix=PREFIX)
        # All of them, since S3 may have replicated what is promoted: then it is copied within the bucket.
        grant_read(artifacts, self.role, prefix="runs/")
        acknowledge_wildcards(self.role, {executions: "the releases of one endpoint, which come with the versions"})
