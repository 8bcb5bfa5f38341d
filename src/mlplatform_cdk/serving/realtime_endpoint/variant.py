"""What an endpoint of the template serves, and on which fleets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aws_cdk import Duration

from mlplatform_cdk.core import PlatformImage, is_known, told
from mlplatform_cdk.serving.model_container import check_environment, start_seconds
from mlplatform_cdk.serving.scaling import ONE_TO_TWO, ScalingRange

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # botocore's VariantName, and at least one character
_PACKAGE = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/[a-z0-9-]+(?:/\d+)?")
# SageMaker takes one archive: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
_ARCHIVE = re.compile(r"runs/.*\.tar\.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointModel:
    """A model that a variant serves; make one with ``from_archive`` or ``from_package``.

    :param archive: the key of its archive in the endpoint's artifact store; None: it comes from a package.
    :param package_arn: its version in a registry; None: it comes from an archive.
    :param image: what serves it; default: the endpoint's own image.
    :param environment: variables of its container.
    """

    archive: str | None = None
    package_arn: str | None = None
    image: PlatformImage | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a model that is nowhere, or in two places, and variables that it could not have."""
        if (self.archive is None) == (self.package_arn is None):
            raise ValueError("a model must have an archive or a package_arn, one of the two; use from_archive")
        if self.archive is not None and is_known(self.archive) and not _ARCHIVE.fullmatch(self.archive):
            raise ValueError(
                "archive must be the key of a '.tar.gz' under 'runs/', where a model's role may read, got "
                f"{self.archive!r}"
            )
        if self.package_arn is not None and is_known(self.package_arn) and not _PACKAGE.fullmatch(self.package_arn):
            raise ValueError(
                "package_arn must look like 'arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3', got "
                f"{self.package_arn!r}"
            )
        check_environment(self.environment)

    @staticmethod
    def from_archive(
        archive: str, *, image: PlatformImage | None = None, environment: Mapping[str, str] | None = None
    ) -> "EndpointModel":
        """A ``model.tar.gz`` in the artifact store.

        :param archive: its key, such as ``runs/2026-11-22/model.tar.gz``; a new model needs a new key, since a template
            that names the same one changes nothing.
        :param image: what serves it; default: the endpoint's own image.
        :param environment: variables of its container; default: none.
        """
        return EndpointModel(archive=archive, image=image, environment=environment or {})

    @staticmethod
    def from_package(
        package_arn: str, *, image: PlatformImage | None = None, environment: Mapping[str, str] | None = None
    ) -> "EndpointModel":
        """A version of a model registry, whose archive lies in the artifact store, too.

        :param package_arn: its ARN.
        :param image: the image that the version names, which the models' role may then pull; default: the endpoint's.
        :param environment: variables of its container, over the version's own; default: none.
        """
        return EndpointModel(package_arn=package_arn, image=image, environment=environment or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointVariant:
    """One fleet behind an endpoint.

    :param model: what it serves.
    :param name: letters, digits and hyphens; guardrails ask that it stays the same; default: SageMaker's own name.
    :param instance_type: any ``ml.`` type; default: ml.m5.large.
    :param inference_ami_version: SageMaker's name of the machine image under the instances, which has the GPUs' driver;
        default: for this package's image on GPUs the one for CUDA 13, else SageMaker's choice.
    :param startup_timeout: how long a container may take until it answers ``/ping``, a minute to an hour; default:
        SageMaker's own 8 minutes.
    :param download_timeout: the same, for an archive to come from S3 and be unpacked; default: SageMaker's own.
    :param scaling: how many instances; default: one, growing to two.
    :param weight: its share of the requests, relative to the others'; default: 1.
    """

    model: EndpointModel
    name: str = "AllTraffic"
    instance_type: str = "ml.m5.large"
    inference_ami_version: str | None = None
    startup_timeout: Duration | None = None
    download_timeout: Duration | None = None
    scaling: ScalingRange = ONE_TO_TWO
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a variant that SageMaker would refuse."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"a variant's name must be 1 to 63 letters, digits and inner hyphens, got {told(self.name)}; try 'a'"
            )
        if self.weight < 0:
            raise ValueError(f"a variant's weight must be 0 or more, got {self.weight}")
        start_seconds("startup_timeout", self.startup_timeout)
        start_seconds("download_timeout", self.download_timeout)

    @property
    def scales(self) -> bool:
        """True when the number of instances follows the load."""
        return self.scaling.minimum < self.scaling.maximum

    @property
    def slow_start(self) -> timedelta:
        """How much longer than others its instances may take to come up."""
        limits = (self.startup_timeout, self.download_timeout)
        return timedelta(seconds=sum(one.to_seconds() for one in limits if one is not None))
