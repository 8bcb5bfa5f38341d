"""The image that serves a model: SageMaker's contract in front of ONNX Runtime, one image per kind of processor."""

import re
from enum import Enum

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from mlplatform_cdk.core.assets import linux_amd64
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.core.images import AssetImage

CONTAINER = "mlplatform_cdk.serving.container"
# SageMaker hosting expects root: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
SAGEMAKER_USER = "0:0"
_TENSORRT = "nvcr.io/nvidia/tensorrt:25.10-py3"  # as Dockerfile.gpu has it
_USER = re.compile(r"[\w.-]+(?::[\w.-]+)?")


class Processor(Enum):
    """What an image computes on."""

    X86_64 = "x86_64"
    ARM64 = "arm64"
    NVIDIA_GPU = "nvidia-gpu"

    @property
    def dockerfile(self) -> str:
        """The Dockerfile for it, in the container's package."""
        return "Dockerfile.gpu" if self is Processor.NVIDIA_GPU else "Dockerfile"

    @property
    def platform(self) -> ecr_assets.Platform:
        """Docker's name of it."""
        return ecr_assets.Platform.LINUX_ARM64 if self is Processor.ARM64 else linux_amd64()


class ServingImage(AssetImage):
    """Built from this package's own tree at deployment; serves any model archive that has a manifest.

    :param processor: what it runs on; ``ARM64`` is for Graviton instances, ``NVIDIA_GPU`` for GPUs; an endpoint refuses
        instances that have something else; default: x86-64.
    :param base_image: what it stands on, at best by digest, with the Python that the Dockerfile's default has; default:
        the Dockerfile's, by digest: Debian slim or NVIDIA's CUDA runtime.
    :param openvino: whether it has OpenVINO, too, which an archive needs that ``mlplatform tune`` found to be faster on
        it; not for GPUs; default: no.
    :param user: who it runs as, ``<uid>:<gid>``; default: root, which SageMaker hosting expects. On Lambda, and where
        the container is run otherwise, ``10001:10001`` or any other does: it needs no right.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        processor: Processor = Processor.X86_64,
        base_image: str | None = None,
        openvino: bool = False,
        user: str = SAGEMAKER_USER,
    ) -> None:
        super().__init__(
            scope,
            id,
            dockerfile_package=CONTAINER,
            dockerfile=processor.dockerfile,
            platform=processor.platform,
            build_args=build_arguments(scope, id, processor, user, base_image, openvino=openvino),
        )
        self.processor = processor
        self.without_tensorrt = without_tensorrt(processor, base_image)


def without_tensorrt(processor: Processor, base_image: str | None) -> str:
    """What an image is that has no TensorRT, and what has it; empty for one on a base of yours, which may."""
    if processor is not Processor.NVIDIA_GPU:
        return f"one for Processor.{processor.name}; make it with Processor.NVIDIA_GPU and base_image={_TENSORRT!r}"
    return "" if base_image else f"one on the default base, without TensorRT; give it base_image={_TENSORRT!r}"


def build_arguments(
    scope: Construct, id: str, processor: Processor, user: str, base_image: str | None, *, openvino: bool
) -> dict[str, str]:
    """The Dockerfiles' arguments for the image ``id``; see ``ServingImage``.

    :raises ConfigurationError: when an image for GPUs shall have OpenVINO, or nobody runs it.
    """
    if is_known(user) and not _USER.fullmatch(user):
        raise ConfigurationError(
            scope, f"the user of the image {id} must have the form '<uid>:<gid>', got {user!r}; leave it out for root"
        )
    if openvino and processor is Processor.NVIDIA_GPU:
        raise ConfigurationError(
            scope,
            f"the image {id} must be for CPUs to have OpenVINO, got processor=Processor.NVIDIA_GPU; leave openvino out",
        )
    arguments = {"RUN_AS": user}
    if base_image:
        arguments["BASE_IMAGE"] = base_image
    if openvino:
        arguments["REQUIREMENTS"] = "requirements-openvino.txt"
    return arguments
