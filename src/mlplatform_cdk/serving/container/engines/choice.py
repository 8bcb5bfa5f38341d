"""What is wanted of an engine: said by the environment, else by the manifest's tuning, else found on the machine."""

from dataclasses import dataclass, field

from mlplatform_cdk.serving.container.engines.cores import usable_cores
from mlplatform_cdk.serving.container.engines.errors import ModelError

AUTO = "auto"
ENGINES = ("onnxruntime", "openvino", "cuda", "tensorrt")
PRECISIONS = ("fp32", "fp16", "int8")
GPU_ENGINES = ("tensorrt", "cuda")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """Which file of a model is run, by what, and on how many cores.

    :param precision: ``fp32``, ``fp16``, ``int8``, or ``auto``: what the manifest was tuned to, else fp16 on a GPU
        where the archive has it, else fp32.
    :param engine: ``onnxruntime`` (the CPU), ``openvino``, ``cuda``, ``tensorrt``, or ``auto``: on a GPU TensorRT where
        an engine was compiled for it, else CUDA; on a CPU what the manifest was tuned to, else onnxruntime.
    :param threads: how many compute one call of ``run``; default: 1, since lanes run beside one another.
    :param lanes: how many calls run at once; default: one per core.
    :param lone_threads: how many compute a request that is alone; default: as many as there are cores.
    :param max_batch_size: the most rows of several requests in a call; default: 64.
    :param allow_cpu: may a machine with a GPU serve on its CPU; default: no.
    """

    precision: str = AUTO
    engine: str = AUTO
    threads: int = 1
    lanes: int = field(default_factory=usable_cores)
    lone_threads: int = field(default_factory=usable_cores)
    max_batch_size: int = 64
    allow_cpu: bool = False

    def __post_init__(self) -> None:
        """Refuse what no engine is."""
        for name, value, known in (("precision", self.precision, PRECISIONS), ("engine", self.engine, ENGINES)):
            if value not in (AUTO, *known):
                raise ModelError(f"the {name} must be auto, {', '.join(known)}, got {value!r}")
