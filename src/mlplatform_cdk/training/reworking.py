"""What may be done to a trained model before it is judged: other precisions, and engines compiled for a GPU."""

import math
from dataclasses import dataclass

from aws_cdk import Duration

from mlplatform_cdk.core import instance_type_of, is_before_cuda_13, is_known, minutes, seconds_of
from mlplatform_cdk.training.resources import ProcessingResources

_FIVE_MINUTES = minutes(5)
_PRECISIONS = ("int8", "fp16")
_MOST_ROWS = 65536  # as the job and the container have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """Files in fewer bits beside fp32, where they hold the accuracy and pay; see docs/quantization.md.

    :param precisions: any of ``int8`` (CPUs) and ``fp16`` (GPUs); default: int8.
    :param tolerance: how much accuracy on the validation rows it may cost; default: 0.01.
    :param search: how long layers are looked for that must stay in fp32, which must leave time in the job's
        ``max_runtime`` for the rest; default: 5 minutes.
    :param resources: what it runs on, at best the type that will serve, since int8 is made where it was measured to be
        faster; default: one ml.m5.xlarge.
    """

    precisions: tuple[str, ...] = ("int8",)
    tolerance: float = 0.01
    search: Duration = _FIVE_MINUTES
    resources: ProcessingResources = ProcessingResources()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Refuse what the step would refuse."""
        if not self.precisions or not set(self.precisions) <= set(_PRECISIONS):
            raise ValueError(f"precisions must be any of {', '.join(_PRECISIONS)}, got {self.precisions!r}")
        if not (math.isfinite(self.tolerance) and 0 <= self.tolerance < 1):
            raise ValueError(f"tolerance must be from 0 to below 1, got {self.tolerance}")
        longest = self.resources.max_runtime
        if seconds_of(self.search) >= seconds_of(longest):
            raise ValueError(
                f"search must be shorter than the job's max_runtime of {longest.to_human_string()}, got "
                f"{self.search.to_human_string()}; give resources=ProcessingResources(max_runtime=...)"
            )

    def environment(self) -> dict[str, str]:
        """The settings of the step's job."""
        return {
            "PRECISIONS": ",".join(self.precisions),
            "TOLERANCE": repr(float(self.tolerance)),
            "SEARCH_SECONDS": str(seconds_of(self.search)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCompilation:
    """TensorRT's engines, compiled once on the GPU that will serve and shipped in the archive.

    The job runs in the pipeline's inference image, which must be the library's own for GPUs, on a base with TensorRT.

    :param resources: one instance of the type that will serve: an engine loads on no other GPU architecture.
    :param max_batch_size: the most rows that an engine computes at once, at which it is fastest; the container batches
        no more than that; default: the manifest's, else 64.
    """

    resources: ProcessingResources
    max_batch_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse what the step would refuse."""
        if self.max_batch_size is not None and not 1 <= self.max_batch_size <= _MOST_ROWS:
            raise ValueError(f"max_batch_size must be from 1 to {_MOST_ROWS}, got {self.max_batch_size}")
        name = self.resources.instance_type
        known = instance_type_of(name)
        if known is not None and not known.gpus:
            raise ValueError(
                f"an engine must be compiled on the GPU that will serve it, got {name!r}, which has none; "
                "try 'ml.g5.xlarge'"
            )
        # https://docs.nvidia.com/deeplearning/tensorrt/latest/getting-started/release-notes-10/10.5.0.html
        if is_known(name) and is_before_cuda_13(name):
            raise ValueError(
                "an engine must be compiled on GPUs from compute capability 7.5 on, as CUDA 13 and TensorRT ask, got "
                f"{name!r}; try 'ml.g4dn.xlarge' or 'ml.g5.xlarge'"
            )

    def environment(self) -> dict[str, str]:
        """The settings of the step's job."""
        return {} if self.max_batch_size is None else {"MAX_BATCH_SIZE": str(self.max_batch_size)}
