"""A lone row is computed beside its own copy, where that alone makes its answer the same as in any batch."""

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from mlplatform_cdk.serving.container.engines.engine import Array, Engine

_COST = 1.25  # how much longer a lone request may take for it
_NOTHING_SECONDS = 5e-6  # that much longer is a tenth of what the rest of a request costs, and too little to measure
_ROUNDS = 5


class InPairs:
    """An engine that never computes a single row; otherwise as the one underneath.

    :param engine: the one underneath.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.precision, self.providers = engine.name, engine.precision, engine.providers
        self.most_rows = engine.most_rows

    @classmethod
    def pays(cls, engine: Engine, inputs: Mapping[str, Array]) -> bool:
        """Whether two rows take little more time than one, so that batches are worth it.

        :param inputs: a request of one row.
        """
        two = _twice(inputs)
        alone = together = float("inf")
        for _ in range(_ROUNDS):
            started = perf_counter()
            engine.run(inputs)
            between = perf_counter()
            engine.run(two)
            alone, together = min(alone, between - started), min(together, perf_counter() - between)
        return together <= max(alone * _COST, alone + _NOTHING_SECONDS)

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run``."""
        if any(len(array) != 1 for array in inputs.values()):
            return self._engine.run(inputs)
        return [one[:1] for one in self._engine.run(_twice(inputs))]

    def run_alone(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See ``Engine.run_alone``."""
        return self.run(inputs)

    def warm_up(self, inputs: Mapping[str, Array]) -> None:
        """See ``Engine.warm_up``."""
        self._engine.warm_up(inputs)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._engine.close()


def _twice(inputs: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.concatenate([array, array]) for name, array in inputs.items()}
