"""What quantization did, for people and for machines."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlplatform_cdk.serving.quantize.accuracy import Accuracy
from mlplatform_cdk.serving.quantize.search import Kept

REPORT_NAME = "quantization.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One precision: made or not, and why.

    :param precision: ``int8`` or ``fp16``.
    :param method: ``static``, ``dynamic`` or ``cast``.
    :param made: whether the archive got the file.
    :param reason: why, in one sentence.
    :param accuracy: what it costs; None: it was not measured.
    :param bytes_before: the size of the fp32 file.
    :param bytes_after: the size of this one.
    :param milliseconds: by rows in the request, the median time of fp32 and of this file on one core, in turns.
    :param kept: layers that stay in fp32.
    :param layers: how many layers could be in this precision.
    :param tolerance: how far its answers may be from the golden ones.
    :param largest_batch: the most rows that were seen to get, bit for bit, the answers that each gets alone.
    :param batch_reason: why not more.
    """

    precision: str
    method: str
    made: bool
    reason: str
    accuracy: Accuracy | None = None
    bytes_before: int = 0
    bytes_after: int = 0
    milliseconds: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    layers: int = 0
    tolerance: float = 0.0
    largest_batch: int = 1
    batch_reason: str = ""

    @property
    def speedup(self) -> float:
        """How many times faster than fp32, where it gains most; 0: it was not measured."""
        return max((one["fp32"] / one[self.precision] for one in self.milliseconds.values()), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done to one model.

    :param model_name: of the manifest.
    :param run_id: of the manifest.
    :param rows_calibrated: on how many rows the ranges were measured.
    :param rows_measured: on how many other rows accuracy was.
    :param tolerance: the cost of accuracy that was allowed.
    :param processor: what the speeds were measured on.
    :param versions: of the tools.
    :param outcomes: one for each precision asked for.
    """

    model_name: str
    run_id: str
    rows_calibrated: int
    rows_measured: int
    tolerance: float
    processor: str
    versions: Mapping[str, str]
    outcomes: tuple[Outcome, ...]

    def to_json(self) -> str:
        """The report as it lies in the archive (``quantization.json``)."""
        value: dict[str, Any] = asdict(self)
        for one, outcome in zip(value["outcomes"], self.outcomes, strict=True):
            one["speedup"] = round(outcome.speedup, 3)
            one["milliseconds"] = {str(rows): times for rows, times in outcome.milliseconds.items()}
        return json.dumps(value, indent=1, sort_keys=True) + "\n"

    def lines(self) -> list[str]:
        """The report in sentences."""
        head = f"{self.model_name}: ranges from {self.rows_calibrated} rows, accuracy on {self.rows_measured} others"
        return [head, f"processor: {self.processor}", *(line for one in self.outcomes for line in _told(one))]


def _told(one: Outcome) -> list[str]:
    lines = [f"{one.precision} ({one.method}): {'made' if one.made else 'not made'}, {one.reason}"]
    if one.bytes_after:
        lines.append(f"  size: {one.bytes_before / 1e6:.2f} MB in fp32, {one.bytes_after / 1e6:.2f} MB now")
    lines += [
        f"  {rows} row{'s' if rows > 1 else ''}: {times['fp32']:.3g} ms in fp32, {times[one.precision]:.3g} ms now "
        f"({times['fp32'] / times[one.precision]:.2f} times as fast)"
        for rows, times in one.milliseconds.items()
    ]
    if one.accuracy is not None:
        told = ", ".join(f"{name} {value:.4g}" for name, value in sorted(one.accuracy.metrics.items()))
        lines.append(f"  cost by {one.accuracy.measure}: {one.accuracy.cost:.4g} ({told})")
    if one.kept:
        lines.append(f"  {len(one.kept)} of {one.layers} layers stay in fp32:")
        lines += [
            f"    {kept.layer} ({kept.operator}): "
            + (
                "no time to measure it alone"
                if kept.error is None
                else f"alone in int8 it makes an error of {kept.error:.2g}"
            )
            for kept in one.kept
        ]
    if one.made:
        batch = f"up to {one.largest_batch} rows" if one.largest_batch > 1 else "no batches"
        if one.method == "dynamic":
            lines.append(
                "  ask one row a request: the rows of one share its scales, and so change each other's answers"
            )
        lines.append(f"  bit-equal alone and batched: {batch}" + (f" ({one.batch_reason})" if one.batch_reason else ""))
    return lines
