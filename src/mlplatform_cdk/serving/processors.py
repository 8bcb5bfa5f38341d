"""Whether an image of this package runs on an instance type: what both compute on must be the same."""

from collections.abc import Mapping

from constructs import IConstruct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformImage,
    has_graviton,
    instance_type_of,
    is_before_cuda_13,
    is_known,
)
from mlplatform_cdk.serving.image import Processor, ServingImage

_TRUE = ("1", "true", "yes", "on")  # as the container's settings have it


def processor_of(image: PlatformImage) -> Processor | None:
    """What ``image`` computes on; None: it is not of this package, and so not known."""
    # CodeBuild's module is for those who have a pipeline, and theirs has imported it.
    from mlplatform_cdk.serving.image_pipeline import ImagePipeline

    return image.processor if isinstance(image, ServingImage | ImagePipeline) else None


def check_processor(
    scope: IConstruct, *, image: PlatformImage, instance_type: str, environment: Mapping[str, str]
) -> None:
    """Refuse instances on which ``image`` would not start; other images, tokens and types of tomorrow pass.

    :param scope: for the error.
    :param image: what serves.
    :param instance_type: what it serves on.
    :param environment: of the model; with ``ALLOW_CPU=true`` the container serves on the CPU beside a GPU.
    :raises ConfigurationError: when the two do not fit.
    """
    ours = processor_of(image)
    if ours is None or not is_known(instance_type):
        return
    if ours is Processor.NVIDIA_GPU and is_before_cuda_13(instance_type):
        raise ConfigurationError(
            scope,
            f"the image for GPUs has CUDA 13, which takes GPUs from compute capability 7.5 on, got {instance_type!r}; "
            "try 'ml.g4dn.xlarge' or 'ml.g5.xlarge'",
        )
    theirs = _processor_in(instance_type)
    if theirs is None or theirs is ours:
        return
    beside_gpu = (ours, theirs) == (Processor.X86_64, Processor.NVIDIA_GPU)
    if beside_gpu and _allows_cpu(environment):
        return
    raise ConfigurationError(
        scope,
        f"the image on {instance_type} must be for Processor.{theirs.name}, got Processor.{ours.name}; hand in "
        f"image=ServingImage(..., processor=Processor.{theirs.name}), or another instance_type"
        + (", or ALLOW_CPU=true in its environment" if beside_gpu else ""),
    )


def _processor_in(instance_type: str) -> Processor | None:
    """What an instance has for an image to compute on; None where that is not known."""
    if has_graviton(instance_type):
        return Processor.ARM64
    known = instance_type_of(instance_type)
    if known is None:
        return None
    return Processor.NVIDIA_GPU if known.gpus else Processor.X86_64


def _allows_cpu(environment: Mapping[str, str]) -> bool:
    wanted = environment.get("ALLOW_CPU", "false")
    return not is_known(wanted) or str(wanted).lower() in _TRUE
