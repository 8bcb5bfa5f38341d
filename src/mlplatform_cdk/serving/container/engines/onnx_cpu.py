"""ONNX Runtime on the CPU: one session shared by all lanes, and one over all cores for a request that is alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from mlplatform_cdk.runtimekit.manifest import Precision
from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.runtime import open_session, run_options, runner

PROVIDER = "CPUExecutionProvider"
_HEAVY_SECONDS = 0.002  # below, waking the other cores costs what they save
_GAIN = 1.15  # how much faster a lone request must be for a second session's memory
_ROUNDS = 5
_TRY_SECONDS = 0.4  # a busy machine may show the gain late; one that has none shows it never


class OnnxCpuEngine:
    """A file of a model on ONNX Runtime's CPU provider.

    :param path: the ONNX file.
    :param precision: of the file.
    :param outputs: the names of the outputs, in the order wanted.
    :param choice: how many threads.
    """

    name = "onnxruntime"
    providers: tuple[str, ...] = (PROVIDER,)
    most_rows: int | None = None

    def __init__(self, path: Path, precision: Precision, outputs: Sequence[str], choice: EngineChoice) -> None:
        self.precision = precision
        self._path, self._choice, self._outputs = path, choice, list(outputs)
        self._run: Any = runner(open_session(path, choice.threads, ((PROVIDER, {}),)))
        self._run_alone: Any = self._run
        self._options = run_options()

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run``."""
        answers: list[Array] = self._run(self._outputs, inputs, self._options)
        return answers

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run_alone``."""
        answers: list[Array] = self._run_alone(self._outputs, inputs, self._options)
        return answers

    def warm_up(self, inputs: Mapping[str, Array]) -> None:
        """See ``Engine.warm_up``; a heavy model gets a session over all cores here, and keeps it where it is faster."""
        self.run(inputs)
        if self._choice.lone_threads <= self._choice.threads:
            return
        if min(self._seconds(self._run, inputs) for _ in range(_ROUNDS)) < _HEAVY_SECONDS:
            return
        session = open_session(self._path, self._choice.lone_threads, ((PROVIDER, {}),), arena=False, spinning=True)
        alone = runner(session)
        if self._gains(alone, inputs):
            self._run_alone = alone

    def close(self) -> None:
        """See ``Engine.close``."""
        self._run = self._run_alone = None

    def _gains(self, alone: Any, inputs: Mapping[str, Array]) -> bool:
        """Whether ``alone`` is faster, by the best of both, taken in turns: what else the machine does only adds."""
        least = least_alone = float("inf")
        begun, rounds = perf_counter(), 0
        while rounds < _ROUNDS or perf_counter() < begun + _TRY_SECONDS:
            least = min(least, self._seconds(self._run, inputs))
            least_alone = min(least_alone, self._seconds(alone, inputs))
            rounds += 1
            if rounds >= _ROUNDS and least_alone * _GAIN < least:
                return True
        return False

    def _seconds(self, run: Any, inputs: Mapping[str, Array]) -> float:
        started = perf_counter()
        run(self._outputs, inputs, self._options)
        return perf_counter() - started
