"""What happened, counted for almost nothing: fixed cells of memory, logarithmic buckets, no locks.

Only the event loop's thread writes. The cells of several processes lie in one shared memory, so that any of them can
tell the whole. In a container of many models, which is one process, each model has counters of its own, and the
container's are the sum of them; those of a model that goes stay in the sum, so that no counter ever falls.
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
    """The container's counters, or one model's.

    :param processes: how many processes share the memory; default: 1.

    ``models`` are the counters of each of many models, ``cells`` where this process counts.
    """

    def __init__(self, processes: int = 1) -> None:
        sizes = [(stage, len(SECONDS) + 2) for stage in STAGES]
        sizes += [("batch", len(SIZES) + 2), ("statuses", len(STATUSES) + 1), ("others", len(STATUSES) + 1)]
        sizes += [("gauges", 3), ("ready", 1)]
        self._places: dict[str, slice] = {}
        self._width = 0
        for name, size in sizes:
            self._places[name] = slice(self._width, self._width + size)
            self._width += size
        self._all = memoryview(mmap.mmap(-1, processes * self._width * _CELL)).cast("d")
        self._processes = processes
        self.models: dict[Model, Metrics] = {}
        self.attach(0)

    def attach(self, process: int) -> None:
        """From now on, count in the cells of ``process``."""
        cells = self.cells = self._row(process)
        self.queue, self.decode, self.infer, self.encode = (
            Histogram(cells[self._places[stage]], SECONDS) for stage in STAGES
        )
        self.batch = Histogram(cells[self._places["batch"]], SIZES)
        self._statuses, self._others = cells[self._places["statuses"]], cells[self._places["others"]]
        self._gauges, self._ready = cells[self._places["gauges"]], cells[self._places["ready"]]
        self._place = {status: number for number, status in enumerate(STATUSES)}

    def of(self, model: "Model") -> "Metrics":
        """The counters of ``model`` alone, one of many."""
        own = self.models.get(model)
        if own is None:
            own = self.models[model] = Metrics()
        return own

    def drop(self, model: "Model") -> None:
        """Tell ``model`` by itself no more; what it has counted stays in the whole."""
        gone = self.models.pop(model, None)
        if gone is not None:
            for place, value in enumerate(gone.cells):
                self.cells[place] += value

    def say_ready(self, *, ready: bool) -> None:
        """Say whether this process can answer predictions."""
        self._ready[0] = ready

    @property
    def all_ready(self) -> bool:
        """Whether every process can: a connection goes to any of them, by chance."""
        place = self._places["ready"].start
        return all(self._row(process)[place] for process in range(self._processes))

    def computed(self, requests: int, decode: float, infer: float, encode: float) -> None:
        """Count a batch of ``requests`` and the seconds of its stages, of which each has its share, but for infer."""
        self.batch.add(requests)
        self.decode.add(decode / requests, requests)
        self.infer.add(infer, requests)
        self.encode.add(encode / requests, requests)

    def count(self, status: int, times: int = 1) -> None:
        """Count answers to predictions, with ``status``."""
        self._statuses[self._place.get(status, -1)] += times

    def count_other(self, status: int) -> None:
        """Count an answer to whatever else was asked: a ping, a scrape, a load, an unknown path."""
        self._others[self._place.get(status, -1)] += 1

    def gauge(self, *, waiting: int, under_way: int, models: int) -> None:
        """Say how much there is now.

        :param waiting: requests in the queue.
        :param under_way: requests accepted and not answered.
        :param models: loaded models.
        """
        self._gauges[0], self._gauges[1], self._gauges[2] = waiting, under_way, models

    def totals(self) -> dict[str, list[float]]:
        """All counters since the start, over all processes and models, by name: stages, batch, statuses, gauges."""
        rows = [list(self._row(process)) for process in range(self._processes)]
        rows += [list(one.cells) for one in self.models.values()]
        whole = rows[0] if len(rows) == 1 else [sum(cells) for cells in zip(*rows, strict=True)]
        return {name: whole[place] for name, place in self._places.items()}

    @property
    def answered(self) -> float:
        """How many predictions this process has answered, or the one model."""
        return sum(self._statuses)

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
        for name, told, cells in (
            ("mlplatform_serving_requests_total", "Answers to predictions", totals["statuses"]),
            ("mlplatform_serving_other_requests_total", "Answers to pings, scrapes and loads", totals["others"]),
        ):
            lines += [f"# HELP {name} {told} by HTTP status.", f"# TYPE {name} counter", *_statuses(name, "", cells)]
        for gauge, value in zip(("waiting", "under_way", "models"), totals["gauges"], strict=True):
            lines += [f"# TYPE mlplatform_serving_{gauge} gauge", f"mlplatform_serving_{gauge} {value:.0f}"]
        name = "mlplatform_serving_model_info"
        lines += [f"# HELP {name} The models that are loaded.", f"# TYPE {name} gauge"]
        # The same archive may be loaded under two names, and a series must not be told twice.
        lines += dict.fromkeys(f"{name}{{{_labels(model)}}} 1" for model in models)
        lines += self._render_models()
        return ("\n".join(lines) + "\n").encode()

    def _render_models(self) -> list[str]:
        """The lines of each of many models, which are as many as are loaded: no buckets, and no status that never came.

        The labels are the manifest's, as those of the model's info: the names of SageMaker's loads mean nothing.
        """
        by_label: dict[str, dict[str, list[float]]] = {}
        for model, one in self.models.items():  # an archive that is loaded under two names is one series
            label, totals = _labels(model), one.totals()
            other = by_label.get(label)
            by_label[label] = totals if other is None else {name: _sum(other[name], totals[name]) for name in totals}
        if not by_label:
            return []
        name = "mlplatform_serving_model_requests_total"
        lines = [f"# HELP {name} Answers of each loaded model by HTTP status.", f"# TYPE {name} counter"]
        for label, totals in by_label.items():
            lines += _statuses(name, label + ",", totals["statuses"], came=True)
        name = "mlplatform_serving_model_stage_seconds"
        lines += [f"# HELP {name} Time that requests to each loaded model spend in a stage.", f"# TYPE {name} summary"]
        for label, totals in by_label.items():
            for stage in STAGES:
                *counts, seconds = totals[stage]
                told = f'{{{label},stage="{stage}"}}'
                lines += [f"{name}_sum{told} {seconds:.9g}", f"{name}_count{told} {sum(counts):.0f}"]
        return lines

    def _row(self, process: int) -> "memoryview[float]":
        return self._all[process * self._width : (process + 1) * self._width]


def _histogram(name: str, label: str, bounds: Sequence[float], cells: Sequence[float], *, every: int = 1) -> list[str]:
    """The lines of a histogram; only each bound that ``every`` counts off is told, or there would be too many."""
    lines, comma = [], "," if label else ""
    upto = list(accumulate(cells[:-1]))
    told = [(f"{bound:g}", count) for bound, count in zip(bounds[::every], upto[::every], strict=False)]
    for bound, count in [*told, ("+Inf", upto[-1])]:
        lines.append(f'{name}_bucket{{{label}{comma}le="{bound}"}} {count:.0f}')
    braces = f"{{{label}}}" if label else ""
    return [*lines, f"{name}_sum{braces} {cells[-1]:.9g}", f"{name}_count{braces} {upto[-1]:.0f}"]


def _statuses(name: str, label: str, cells: Sequence[float], *, came: bool = False) -> list[str]:
    """The lines of a counter by status, of those that ``came`` where that is said."""
    told = zip((*STATUSES, "other"), cells, strict=True)
    return [f'{name}{{{label}status="{one}"}} {value:.0f}' for one, value in told if value or not came]


def _sum(some: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one + other for one, other in zip(some, others, strict=True)]


def _labels(model: "Model") -> str:
    manifest, engine = model.manifest, model.engine
    told = {"model": manifest.model_name, "run_id": manifest.run_id, "engine": engine.name}
    told |= {"precision": engine.precision}
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in told.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
