"""ONNX Runtime on an NVIDIA GPU, by its CUDA or TensorRT provider; inputs and outputs are bound, so copied once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlplatform_cdk.runtimekit.manifest import Precision
from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.errors import ModelError
from mlplatform_cdk.serving.container.engines.runtime import Providers, computing, open_session

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
# https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
CUDA_OPTIONS: Mapping[str, str] = {
    "device_id": "0",
    "arena_extend_strategy": "kSameAsRequested",  # several models share the GPU's memory
    "cudnn_conv_algo_search": "HEURISTIC",  # EXHAUSTIVE times kernels at each new shape: slow, and not twice the same
    "use_tf32": "0",  # fp32 means fp32
}
# What CUDA leaves, such as the arithmetic of shapes, is computed on the CPU.
CUDA_PROVIDERS: Providers = ((CUDA, CUDA_OPTIONS), ("CPUExecutionProvider", {}))
# In the names of what carries a model's arithmetic, such as MatMulInteger, QLinearConv and com.microsoft.FusedGemm.
_HEAVY = ("Conv", "Gemm", "MatMul", "ai.onnx.ml.")


class GpuEngine:
    """A file of a model on the GPU.

    :param name: ``cuda`` or ``tensorrt``.
    :param path: the ONNX file.
    :param precision: of the file.
    :param outputs: the names of the outputs, in the order wanted.
    :param providers: with their options, the wanted one first.
    :param choice: how many threads compute what stays on the CPU, and whether that may be all of it.
    :param most_rows: how many rows are computed at once at most, for a model that is batched by row; default: any.

    ``operators`` says which provider computes what, see ``computing``.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        precision: Precision,
        outputs: Sequence[str],
        providers: Providers,
        choice: EngineChoice,
        most_rows: int | None = None,
    ) -> None:
        self.name, self.precision, self._outputs, self.most_rows = name, precision, list(outputs), most_rows
        self._session: Any = open_session(path, choice.threads, providers)
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        wanted = providers[0][0]
        if wanted not in self.providers:  # ONNX Runtime leaves a provider out that it could not load, with a warning
            raise ModelError(
                f"{path.name} must run on {wanted}, got a session on {', '.join(self.providers)}: its libraries (CUDA, "
                "cuDNN, TensorRT) are missing or of another version"
            )
        self.operators = computing(self._session)
        left = _left_to_cpu(self.operators)
        if left and not choice.allow_cpu:
            raise ModelError(
                f"{path.name} must be a model that the GPU computes, got {', '.join(left[:5])} left to the CPU; serve "
                "it on a machine without a GPU, or set ALLOW_CPU=true"
            )

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run``."""
        most, rows = self.most_rows, len(next(iter(inputs.values()))) if self.most_rows else 0
        if most is None or rows <= most:
            return self._run(inputs)
        parts = [
            self._run({name: array[first : first + most] for name, array in inputs.items()})
            for first in range(0, rows, most)
        ]
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _run(self, inputs: Mapping[str, Array]) -> list[Array]:
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        for name in self._outputs:
            binding.bind_output(name, "cuda")
        self._session.run_with_iobinding(binding)
        answers: list[Array] = binding.copy_outputs_to_cpu()
        return answers

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run_alone``."""
        return self.run(inputs)

    def warm_up(self, inputs: Mapping[str, Array]) -> None:
        """See ``Engine.warm_up``."""
        self.run(inputs)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._session = None


def _left_to_cpu(operators: Mapping[str, set[str]]) -> list[str]:
    """The operators that carry a model's arithmetic and that no GPU computes; all, where it computes nothing."""
    ours = operators.get("CPUExecutionProvider", set())
    if not {CUDA, TENSORRT} & set(operators):
        return sorted(ours)
    return sorted(one for one in ours if any(heavy in one for heavy in _HEAVY))
