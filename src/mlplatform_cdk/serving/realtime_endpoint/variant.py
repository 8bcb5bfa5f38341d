"""What an endpoint of the template serves, and on which fleets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlplatform_cdk.core import PlatformImage, is_known
from mlplatform_cdk.serving.scaling import ONE_TO_TWO, ScalingRange

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # botocore's VariantName, and at least one character
_PACKAGE = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/[a-z0-9-]+(?:/\d+)?")
_RUNS = "runs/"


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
        """Refuse a model that is nowhere, or in two places."""
        if (self.archive is None) == (self.package_arn is None):
            raise ValueError("a model must have an archive or a package_arn, one of the two; use from_archive")
        if self.archive is not None and is_known(self.archive) and not self.archive.startswith(_RUNS):
            raise ValueError(
                f"archive must be a key under {_RUNS!r}, where a model's role may read, got {self.archive!r}"
            )
        if self.package_arn is not None and is_known(self.package_arn) and not _PACKAGE.fullmatch(self.package_arn):
            raise ValueError(
                "package_arn must look like 'arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3', got "
                f"{self.package_arn!r}"
            )

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
    :param scaling: how many instances; default: one, growing to two.
    :param weight: its share of the requests, relative to the others'; default: 1.
    """

    model: EndpointModel
    name: str = "AllTraffic"
    instance_type: str = "ml.m5.large"
    inference_ami_version: str | None = None
    scaling: ScalingRange = ONE_TO_TWO
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a variant that SageMaker would refuse."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"a variant's name must be 1 to 63 letters, digits and inner hyphens, got {self.name!r}; try 'a'"
            )
        if self.weight < 0:
            raise ValueError(f"a variant's weight must be 0 or more, got {self.weight}")

    @property
    def scales(self) -> bool:
        """True when the number of instances follows the load."""
        return self.scaling.minimum < self.scaling.maximum
