"""Container images, wherever they come from: built from this package, AWS's own, or yours in ECR."""

import re

import aws_cdk
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core.access import Access, allowed
from mlplatform_cdk.core.assets import container_asset
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.core.grants import give

_LOGIN = "ecr:GetAuthorizationToken"
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PULL_ACTIONS = (*_PULL, _LOGIN)
_ECR_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)


class PlatformImage(Construct):
    """An image that a job or a model runs: its URI, its version, and who may pull it.

    Make one with ``from_asset``, ``from_uri``, ``from_repository`` or ``from_deep_learning_container``; all are equal
    citizens. SageMaker's own contract applies to an image of yours:
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html (training),
    https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html (processing) and
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html (serving).

    :param image_uri: what SageMaker pulls.
    :param version: tells one content from another: an asset's hash, a tag or a digest.
    :param repository_arn: the ECR repository that holds it.

    ``without_tensorrt`` says what it is where it is known to have no TensorRT, and what has; empty: it is not known.
    """

    without_tensorrt: str = ""

    def __init__(self, scope: Construct, id: str, *, image_uri: str, version: str, repository_arn: str) -> None:
        super().__init__(scope, id)
        self.image_uri = image_uri
        self.version = version
        self._repository_arn = repository_arn

    @staticmethod
    def from_asset(
        scope: Construct,
        id: str,
        *,
        dockerfile_package: str,
        packages: tuple[str, ...] = (),
        build_args: dict[str, str] | None = None,
    ) -> "PlatformImage":
        """An image built from this package's own tree at deployment; synth needs no Docker.

        :param dockerfile_package: the dotted name of the package that holds the ``Dockerfile``.
        :param packages: what else the image holds, besides that package and the runtime kit; default: nothing.
        :param build_args: build arguments of the Dockerfile; default: those that it declares.
        """
        return AssetImage(scope, id, dockerfile_package=dockerfile_package, packages=packages, build_args=build_args)

    @staticmethod
    def from_uri(scope: Construct, id: str, image_uri: str) -> "PlatformImage":
        """An image in any ECR registry, by its full URI with a tag or digest.

        :param image_uri: ``<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>``, no token.
        """
        match = _ECR_URI.fullmatch(image_uri) if is_known(image_uri) else None
        if match is None:
            raise ConfigurationError(
                Construct(scope, id),
                "image_uri must be an ECR image with a tag or digest, "
                f"'<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>', got {image_uri!r}; "
                "for a repository of your app use from_repository",
            )
        arn = (
            f"arn:{Stack.of(scope).partition}:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"
        )
        return PlatformImage(
            scope, id, image_uri=image_uri, version=match["tag"] or match["digest"], repository_arn=arn
        )

    @staticmethod
    def from_repository(scope: Construct, id: str, repository: ecr.IRepository, *, tag: str) -> "PlatformImage":
        """An image in an ECR repository of this app or an imported one.

        :param repository: where it lies.
        :param tag: a tag, or a digest that begins with ``sha256:``.
        """
        return PlatformImage(
            scope,
            id,
            image_uri=repository.repository_uri_for_tag_or_digest(tag),
            version=tag,
            repository_arn=repository.repository_arn,
        )

    @staticmethod
    def from_deep_learning_container(scope: Construct, id: str, *, repository: str, tag: str) -> "PlatformImage":
        """An AWS Deep Learning Container of the stack's region, its registry looked up in CDK's region facts.

        :param repository: such as ``pytorch-training``.
        :param tag: such as ``2.8.0-gpu-py312-cu129-ubuntu22.04-sagemaker``.
        """
        stack = Stack.of(scope)
        account = stack.regional_fact(aws_cdk.region_info.FactName.DLC_REPOSITORY_ACCOUNT)
        return PlatformImage(
            scope,
            id,
            image_uri=f"{account}.dkr.ecr.{stack.region}.{stack.url_suffix}/{repository}:{tag}",
            version=tag,
            repository_arn=f"arn:{stack.partition}:ecr:{stack.region}:{account}:repository/{repository}",
        )

    def grant_find(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` see whether this image is there, and by which digest."""
        give(grantee, self.finding())

    def finding(self) -> Access:
        """What ``grant_find`` gives, as a value."""
        return Access([allowed(["ecr:BatchGetImage"], self._repository_arn)])

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` pull this image."""
        give(grantee, self.pulling())

    def pulling(self) -> Access:
        """What ``grant_pull`` gives, as a value."""
        return Access(
            [allowed(_PULL, self._repository_arn), allowed([_LOGIN], "*")],
            patterns={"*": "ECR's login, metrics and traces take no resource"},
        )


class AssetImage(PlatformImage):
    """An image built from this package's own tree at deployment; synth needs no Docker.

    :param dockerfile_package: the dotted name of the package that holds the ``Dockerfile``.
    :param packages: what else the image holds, besides that package and the runtime kit; default: nothing.
    :param build_args: build arguments of the Dockerfile; default: those that it declares.
    :param dockerfile: its name in that package; default: Dockerfile.
    :param platform: what the image runs on; default: linux/amd64.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dockerfile_package: str,
        packages: tuple[str, ...] = (),
        build_args: dict[str, str] | None = None,
        dockerfile: str = "Dockerfile",
        platform: ecr_assets.Platform | None = None,
    ) -> None:
        asset = container_asset(
            scope,
            f"{id}Asset",
            dockerfile_package=dockerfile_package,
            packages=packages,
            platform=platform,
            build_args=build_args,
            dockerfile=dockerfile,
        )
        super().__init__(
            scope,
            id,
            image_uri=asset.image_uri,
            version=asset.asset_hash,
            repository_arn=asset.repository.repository_arn,
        )
