"""A model on the bench: what its files cost, how long they take, whether they may serve."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest, Precision
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.independence import Independence, batches_by_row, examine, sizes_up_to
from mlplatform_cdk.serving.container.engines.onnx_cpu import OnnxCpuEngine
from mlplatform_cdk.serving.quantize import run
from mlplatform_cdk.serving.quantize.accuracy import Accuracy, compare
from mlplatform_cdk.serving.quantize.data import Rows
from mlplatform_cdk.serving.quantize.golden import golden_tolerance
from mlplatform_cdk.serving.quantize.prepare import whole

_MOST_ROWS = 32
_PROOF_SECONDS = 10.0
_BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A model on the bench.

    :param manifest: the model's.
    :param folder: the unpacked model.
    :param scratch: for what is made on the way.
    :param source: the fp32 file.
    :param calibration: rows that ranges are measured on.
    :param measured: other rows, for accuracy.
    :param tolerance: of accuracy.
    :param seconds: for the search of layers.
    :param least_gain: how many times faster int8 must be.
    :param progress: is told what happens.
    """

    manifest: Manifest
    folder: Path
    scratch: Path
    source: Path
    calibration: Rows
    measured: Rows
    tolerance: float
    seconds: float
    least_gain: float
    progress: Callable[[str], None]
    _expected: dict[str, Array] = field(default_factory=dict)

    def with_whole_file(self) -> "Workshop":
        """The same, its source with all weights in it.

        :raises QuantizeError: when those do not fit into one file.
        """
        return replace(self, source=whole(self.source, self.scratch))

    def accuracy(self, path: Path, precision: Precision) -> Accuracy:
        """What the file at ``path`` costs."""
        if not self._expected:
            self._expected.update(
                run.answers(run.open_file(self.source, "fp32", self.manifest), self.measured, self.manifest)
            )
        came = run.answers(run.open_file(path, precision, self.manifest), self.measured, self.manifest)
        return compare(self._expected, came, self.measured.labels, self.manifest)

    def objection(self, path: Path, precision: Precision, accuracy: Accuracy) -> str:
        """Why the file at ``path`` with this ``accuracy`` may not serve; empty: it may."""
        if not accuracy.cost <= self.tolerance:  # nor is what is no number
            return f"{accuracy.measure} {accuracy.cost:.4g} is over the tolerance of {self.tolerance:g}"
        return golden_tolerance(self.manifest, path, precision)[0]

    def times(self, path: Path, precision: Precision) -> dict[int, dict[str, float]]:
        """The times of fp32 and of the file at ``path``, by rows."""
        engines: dict[str, OnnxCpuEngine] = {
            "fp32": run.open_file(self.source, "fp32", self.manifest),
            precision: run.open_file(path, precision, self.manifest),
        }
        sizes = (1, _BATCH) if batches_by_row(self.manifest) else (1,)
        return {size: run.milliseconds(engines, run.first_rows(self.measured, size)) for size in sizes}

    def independence(self, path: Path, precision: Precision) -> Independence:
        """Whether answers of the file at ``path`` depend on their neighbours."""
        if not batches_by_row(self.manifest):
            return Independence(largest=1, reason="not every input and output varies by its first dimension only")
        engine = run.open_file(path, precision, self.manifest)
        rows = self.measured.part(0, min(6, len(self.measured))).each()
        return examine(engine.run, rows, sizes_up_to(_MOST_ROWS), alone=engine.run_alone, seconds=_PROOF_SECONDS)
