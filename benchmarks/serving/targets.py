"""What was aimed at, in figures, and whether this run reached it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Results = Mapping[str, Any]
_OURS, _FASTAPI, _STRIPPED = "mlplatform", "FastAPI+uvicorn", "FastAPI+uvicorn, stripped"
_OPENVINO = "mlplatform, OpenVINO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One line of the table.

    :param text: what is aimed at.
    :param value: the figure, from the results; raises ``KeyError`` where it was not measured.
    :param limit: what it is held against.
    :param least: whether the limit is the least that it may be; default: the most.
    """

    text: str
    value: Callable[[Results], float]
    limit: float
    least: bool = False

    def line(self, found: Results) -> str | None:
        """A line of Markdown; ``None`` where nothing was measured."""
        try:
            value = self.value(found)
        except KeyError:
            return None
        met = value >= self.limit if self.least else value <= self.limit
        word = "at least" if self.least else "at most"
        return f"| {self.text} | {word} {self.limit:g} | {value:.3g} | {'yes' if met else '**no**'} |"


def table(found: Results) -> Iterator[str]:
    """The targets as a table."""
    yield "| target | limit | measured | met |"
    yield "|---|---|---|---|"
    for target in _TARGETS:
        line = target.line(found)
        if line:
            yield line


def _best(servers: Mapping[str, Any], prefix: str) -> float:
    return float(max(one["per_second"] for name, one in servers.items() if name.startswith(prefix)))


def _ours(servers: Mapping[str, Any]) -> float:
    return _best(servers, _OURS)


def _against(load: str, prefix: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        servers = found["tabular"]["loads"][load]
        return _ours(servers) / _best(servers, prefix)

    return value


def _against_one(load: str, name: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        servers = found["tabular"]["loads"][load]
        return _ours(servers) / float(servers[name]["per_second"])

    return value


def _figure(load: str, figure: str) -> Callable[[Results], float]:
    return lambda found: min(
        float(one[figure]) for name, one in found["tabular"]["loads"][load].items() if name.startswith(_OURS)
    )


def _smallest(precision: Mapping[str, Any]) -> str:
    return "int8" if "int8" in precision else min(precision)


def _of_raw(model: str, ours: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        one = found[model][_smallest(found[model])]
        return float(one["loads"]["16 connections"][ours]["per_second"] / median(one["alone"]))

    return value


def _of_mosec(model: str, ours: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        servers = found[model][_smallest(found[model])]["loads"]["16 connections"]
        return float(servers[ours]["per_second"]) / _best(servers, "mosec")

    return value


def _half_load(model: str, ours: str, relative_to: str | None = None) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        servers = found[model][_smallest(found[model])]["loads"]["57 % load"]
        return float(servers[ours]["p99_ms"]) / (float(servers[relative_to]["p99_ms"]) if relative_to else 1.0)

    return value


def _int8(model: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        one = found[model]
        return float(median(one["int8"]["alone"]) / median(one["fp32"]["alone"]))

    return value


def _heavy(model: str, *forms: str) -> Iterator[Target]:
    """What is aimed at for a slow model, for each of our ``forms``."""
    for ours in forms:
        form = model + ours.removeprefix(_OURS)
        closed, half = f"{form}, 16 connections:", f"{form}, 57 % load: p99,"
        yield Target(text=f"{closed} of raw ONNX Runtime", value=_of_raw(model, ours), limit=0.95, least=True)
        yield Target(text=f"{closed} times mosec's best", value=_of_mosec(model, ours), limit=1.0, least=True)
        yield Target(text=f"{half} ms", value=_half_load(model, ours), limit=100)
        for name in (_FASTAPI, _STRIPPED):
            yield Target(text=f"{half} of {name}'s", value=_half_load(model, ours, name), limit=0.6)
    yield Target(text=f"{model}: int8, times fp32", value=_int8(model), limit=2.0, least=True)


_TARGETS = (
    Target(text="64 connections: times mosec's best", value=_against("64 connections", "mosec"), limit=2.0, least=True),
    *(
        Target(text=f"64 connections: times {one}", value=_against_one("64 connections", one), limit=15.0, least=True)
        for one in (_FASTAPI, _STRIPPED)
    ),
    Target(text="64 connections: CPU, µs per answer", value=_figure("64 connections", "server_cpu_us"), limit=45),
    Target(text="1 connection: times mosec's best", value=_against("1 connections", "mosec"), limit=3.0, least=True),
    *(
        Target(text=f"1 connection: times {one}", value=_against_one("1 connections", one), limit=8.0, least=True)
        for one in (_FASTAPI, _STRIPPED)
    ),
    Target(text="1 connection: p50, ms", value=_figure("1 connections", "p50_ms"), limit=0.15),
    Target(
        text="10,000/s: answers/s",
        value=lambda found: _ours(found["tabular"]["loads"]["10,000/s"]),
        limit=9_990,
        least=True,
    ),
    Target(text="10,000/s: p99, ms", value=_figure("10,000/s", "p99_ms"), limit=100),
    Target(text="first answer, s", value=lambda found: median(found["start-up"][_OURS]), limit=0.6),
    Target(text="resident, MB", value=lambda found: float(found["tabular"]["servers"][_OURS]["resident MB"]), limit=75),
    Target(
        text="installed, MB", value=lambda found: float(found["tabular"]["servers"][_OURS]["installed MB"]), limit=170
    ),
    *_heavy("image", _OURS, _OPENVINO),
    *_heavy("transformer", _OURS),
    Target(
        text="3 times the capacity: p99 of what is answered, ms (budget 500)",
        value=lambda found: float(found["overload"]["loads"]["3 x capacity"][_OURS]["p99_ms"]),
        limit=500,
    ),
)
