"""The machine image under an endpoint's instances, by SageMaker's name: it brings the driver that a GPU image needs.

The names and their drivers: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

import re

from constructs import IConstruct

from mlplatform_cdk.core import ConfigurationError, PlatformImage, instance_type_of, is_known
from mlplatform_cdk.serving.image import Processor
from mlplatform_cdk.serving.processors import processor_of

# Driver 580, CUDA 13.0. SageMaker's own choice for g4dn, g5 and p4d is driver 470, where no image for CUDA 13 starts:
# https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html
CUDA_13 = "al2023-ami-sagemaker-inference-gpu-4-1"
_FORM = re.compile(r"[a-z0-9]+-ami-sagemaker-inference-(?P<accelerator>gpu|neuron)-[0-9-]+")


def inference_ami_of(
    scope: IConstruct, *, image: PlatformImage, instance_type: str, asked: str | None = None
) -> str | None:
    """What a variant's instances start from; None: SageMaker chooses.

    By itself it is ``CUDA_13`` for this package's GPU image on a GPU type of the catalogue. Any other image is left
    to SageMaker, since which CUDA it has is not known here, and a newer driver is not always better: AWS found that its
    own images for CUDA 12.8 and 12.9 do not start there, and logs nothing
    (https://github.com/aws/deep-learning-containers/pull/6187).

    :param scope: for the error.
    :param image: what serves.
    :param instance_type: what it serves on.
    :param asked: the user's choice; default: none.
    :raises ConfigurationError: when the choice has not the form of these names, or a known instance type has no such
        accelerator. A name that is newer than this package passes.
    """
    if asked is not None:
        _check(scope, asked, instance_type)
        return asked
    known = instance_type_of(instance_type) if is_known(instance_type) else None
    return CUDA_13 if known is not None and known.gpus and processor_of(image) is Processor.NVIDIA_GPU else None


def _check(scope: IConstruct, name: str, instance_type: str) -> None:
    if not is_known(name):
        return
    form = _FORM.fullmatch(name)
    if form is None:
        raise ConfigurationError(
            scope, f"inference_ami_version must be one of SageMaker's names, got {name!r}; try {CUDA_13!r}"
        )
    known = instance_type_of(instance_type) if is_known(instance_type) else None
    if known is not None and not (known.gpus and form["accelerator"] == "gpu"):
        raise ConfigurationError(
            scope,
            f"inference_ami_version must be for the accelerator of {instance_type}, got {name!r}; leave it out",
        )
