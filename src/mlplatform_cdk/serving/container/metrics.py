"""What happened, counted for almost nothing: fixed cells of memory, logarithmic buckets, no locks.

Only the event loop's thread writes. The cells of several processes lie in one shared memory, so that any of them can
tell the whole.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.model import Model

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
FINE = 8  # buckets to a doubling: percentiles are off by a sixteenth of one, 4.5 %, at most
SECONDS = tuple(1e-5 * 2 ** (step / FINE) for step in range(20 * FINE + 1))  # 10 microseconds to 10 seconds
SIZES = tuple(float(2**power) for power in range(11))
STATUSES = (200, 400, 404, 405, 406, 408, 409, 413, 414, 415, 429, 431, 500, 501, 503, 504, 507)
STAGES = ("queue", "decode", "infer", "encode")
_CELL = 8  # bytes: counters are doubles, which count exactly up to 2**53


class Histogram:
    """Values by bucket.

    :param cells: where it counts: a cell per bucket, one for what is over the last, one for the sum.
    :param bounds: the buckets' upper bounds, each included.
    """

    def __init__(self, cells: "memoryview[float]", bounds: tuple[float, ...]) -> None:
        self._cells, self.bounds, self._sum = cells, bounds, len(bounds) + 1

    def add(self, value: float, times: int = 1) -> None:
        """Count ``value`` as often as ``times`` says."""
        cells = self._cells
        cells[bisect_left(self.bounds, value)] += times
        cells[self._sum] += value * times


class Metrics:
    """The container's counters.

    :param processes: how many processes share the memory; default: 1.
    """

    def __init__(self, processes: int = 1) -> None:
        sizes = [(stage, len(SECONDS) + 2) for stage in STAGES]
        sizes += [("batch", len(SIZES) + 2), ("statuses", len(STATUSES) + 1), ("gauges", 3)]
        self._places: dict[str, slice] = {}
        self._width = 0
        for name, size in sizes:
            self._places[name] = slice(self._width, self._width + size)
            self._width += size
        self._all = memoryview(mmap.mmap(-1, processes * self._width * _CELL)).cast("d")
        self._processes = processes
        self.attach(0)

    def attach(self, process: int) -> None:
        """From now on, count in the cells of ``process``."""
        cells = self._all[process * self._width : (process + 1) * self._width]
        self.queue, self.decode, self.infer, self.encode = (
            Histogram(cells[self._places[stage]], SECONDS) for stage in STAGES
        )
        self.batch = Histogram(cells[self._places["batch"]], SIZES)
        self._statuses, self._gauges = cells[self._places["statuses"]], cells[self._places["gauges"]]
        self._place = {status: number for number, status in enumerate(STATUSES)}

    def computed(self, requests: int, decode: float, infer: float, encode: float) -> None:
        """Count a batch of ``requests`` and the seconds of its stages, of which each has its share, but for infer."""
        self.batch.add(requests)
        self.decode.add(decode / requests, requests)
        self.infer.add(infer, requests)
        self.encode.add(encode / requests, requests)

    def count(self, status: int, times: int = 1) -> None:
        """Count answers with ``status``."""
        self._statuses[self._place.get(status, -1)] += times

    def gauge(self, *, waiting: int, under_way: int, models: int) -> None:
        """Say how much there is now.

        :param waiting: requests in the queue.
        :param under_way: requests accepted and not answered.
        :param models: loaded models.
        """
        self._gauges[0], self._gauges[1], self._gauges[2] = waiting, under_way, models

    def totals(self) -> dict[str, list[float]]:
        """All counters since the start, over all processes, by name: stages, batch, statuses, gauges."""
        rows = [self._all[row * self._width : (row + 1) * self._width] for row in range(self._processes)]
        return {
            name: [sum(cells) for cells in zip(*(row[place] for row in rows), strict=True)]
            for name, place in self._places.items()
        }

    def render(self, models: Iterable["Model"]) -> bytes:
        """Everything in Prometheus' text format.

        :param models: the loaded ones.
        """
        totals = self.totals()
        name, lines = "mlplatform_serving_stage_seconds", []
        lines += [f"# HELP {name} Time that a request spends in a stage.", f"# TYPE {name} histogram"]
        for stage in STAGES:
            lines += _histogram(name, f'stage="{stage}"', SECONDS, totals[stage], every=FINE)
        name = "mlplatform_serving_batch_requests"
        lines += [f"# HELP {name} Requests that were computed at once.", f"# TYPE {name} histogram"]
        lines += _histogram(name, "", SIZES, totals["batch"])
        name = "mlplatform_serving_requests_total"
        lines += [f"# HELP {name} Answers by HTTP status.", f"# TYPE {name} counter"]
        told = (*STATUSES, "other")
        lines += [f'{name}{{status="{one}"}} {value:.0f}' for one, value in zip(told, totals["statuses"], strict=True)]
        for gauge, value in zip(("waiting", "under_way", "models"), totals["gauges"], strict=True):
            lines += [f"# TYPE mlplatform_serving_{gauge} gauge", f"mlplatform_serving_{gauge} {value:.0f}"]
        name = "mlplatform_serving_model_info"
        lines += [f"# HELP {name} The models that are loaded.", f"# TYPE {name} gauge"]
        # The same archive may be loaded under two names, and a series must not be told twice.
        lines += dict.fromkeys(f"{name}{{{_labels(model)}}} 1" for model in models)
        return ("\n".join(lines) + "\n").encode()


def _histogram(name: str, label: str, bounds: Sequence[float], cells: Sequence[float], *, every: int = 1) -> list[str]:
    """The lines of a histogram; only each bound that ``every`` counts off is told, or there would be too many."""
    lines, comma = [], "," if label else ""
    upto = list(accumulate(cells[:-1]))
    told = [(f"{bound:g}", count) for bound, count in zip(bounds[::every], upto[::every], strict=False)]
    for bound, count in [*told, ("+Inf", upto[-1])]:
        lines.append(f'{name}_bucket{{{label}{comma}le="{bound}"}} {count:.0f}')
    braces = f"{{{label}}}" if label else ""
    return [*lines, f"{name}_sum{braces} {cells[-1]:.9g}", f"{name}_count{braces} {upto[-1]:.0f}"]


def _labels(model: "Model") -> str:
    manifest, engine = model.manifest, model.engine
    told = {"model": manifest.model_name, "run_id": manifest.run_id, "engine": engine.name}
    told |= {"precision": engine.precision}
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in told.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
