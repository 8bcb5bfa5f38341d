"""What every engine can do, whatever computes underneath."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Precision

Array = NDArray[Any]


class Engine(Protocol):
    """Runs one file of a model; ``run`` may be called from several threads at once.

    ``name`` is the engine's name (see ``EngineChoice``), ``precision`` that of the file, ``providers`` what computes,
    ``most_rows`` how many rows it computes at once (it takes more, and computes them in parts; None: any number).
    """

    name: str
    precision: Precision
    providers: tuple[str, ...]
    most_rows: int | None

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The outputs in the manifest's order, computed on the threads of one lane."""
        ...

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The same for a request that nobody waits behind, on all cores where that pays."""
        ...

    def warm_up(self, inputs: Mapping[str, Array]) -> None:
        """Make everything ready that the first call would wait for, and measure what pays."""
        ...

    def close(self) -> None:
        """Give the memory back; no call may be under way or follow."""
        ...
