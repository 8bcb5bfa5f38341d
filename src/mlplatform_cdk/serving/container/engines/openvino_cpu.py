"""OpenVINO on the CPU: a second engine, for the models where ``mlplatform tune`` measured it to be faster."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlplatform_cdk.runtimekit.manifest import Precision
from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.errors import ModelError

_ONE_AT_A_TIME = threading.Lock()


class OpenVinoEngine:
    """A file of a model on OpenVINO's CPU plugin.

    :param path: the ONNX file.
    :param precision: of the file.
    :param outputs: the names of the outputs, in the order wanted.
    :param choice: how many lanes and threads.
    """

    name = "openvino"
    providers: tuple[str, ...] = ("OpenVINO CPU",)
    most_rows: int | None = None

    def __init__(self, path: Path, precision: Precision, outputs: Sequence[str], choice: EngineChoice) -> None:
        self.precision = precision
        self._outputs = list(outputs)
        self._compiled: Any = _compiled(path, choice)
        self._local = threading.local()

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run``; each thread has a request of its own, since one answers one call at a time."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        request.infer(dict(inputs), share_inputs=True)
        # The request's own memory is overwritten by the next call.
        return [request.get_tensor(name).data.copy() for name in self._outputs]

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run_alone``."""
        # Compiled a second time for all cores, a ResNet answers a lone request in 3.8 ms in place of 4.5, but the
        # threads that OpenVINO keeps for that take a fifth of the lanes' throughput, also where nobody is alone.
        return self.run(inputs)

    def warm_up(self, inputs: Mapping[str, Array]) -> None:
        """See ``Engine.warm_up``."""
        self.run(inputs)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._compiled, self._local = None, threading.local()


def _compiled(path: Path, choice: EngineChoice) -> Any:
    try:
        import openvino  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise ModelError(
            "the engine openvino needs the package openvino, got none; it is the extra openvino, and in images what "
            "openvino=True adds"
        ) from None
    # https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes/cpu-device.html
    options = {
        "INFERENCE_NUM_THREADS": choice.lanes * choice.threads,
        "NUM_STREAMS": choice.lanes,
        "INFERENCE_PRECISION_HINT": "f32",  # else it computes in bfloat16 where the processor can
        "ENABLE_CPU_PINNING": False,  # lanes of other models need cores too
    }
    _fill_tables(openvino)
    try:
        core = openvino.Core()
        return core.compile_model(core.read_model(path), "CPU", options)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{path.name} must be a model that OpenVINO loads, got {reason}") from error


def _fill_tables(openvino: Any) -> None:
    # OpenVINO's binding (2026.4.1) makes its table of numpy's types in the initialiser of a static variable of C++ that
    # lets go of the GIL: a second thread that comes meanwhile waits for the initialiser and keeps the GIL from it, for
    # good. Here one thread makes the table, before any other can ask for it.
    with _ONE_AT_A_TIME:
        openvino.Type.f32.to_dtype()
