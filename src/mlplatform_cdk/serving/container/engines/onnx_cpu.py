"""ONNX Runtime on the CPU: one session shared by all lanes, and one over all cores for a request that is alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.runtime import open_session

PROVIDER = "CPUExecutionProvider"


class OnnxCpuEngine:
    """A file of a model on ONNX Runtime's CPU provider.

    :param path: the ONNX file.
    :param precision: of the file.
    :param outputs: the names of the outputs, in the order wanted.
    :param choice: how many threads.
    """

    name = "cpu"
    providers = (PROVIDER,)

    def __init__(self, path: Path, precision: str, outputs: Sequence[str], choice: EngineChoice) -> None:
        self.precision = precision
        self._path, self._choice, self._outputs = path, choice, list(outputs)
        self._shared: Any = open_session(path, choice.threads, ((PROVIDER, {}),))

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run``."""
        answers: list[Array] = self._shared.run(self._outputs, inputs)
        return answers

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run_alone``."""
        return self.run(inputs)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._shared = None
