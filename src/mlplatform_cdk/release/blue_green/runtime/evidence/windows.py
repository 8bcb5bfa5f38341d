"""What was measured of one variant while it was watched: counts that add up, period by period."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PLACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period of a metric, such as a minute.

    :param at: when it began, in seconds since 1970.
    :param requests: what reached the variant.
    :param failures: requests that the model or its container failed: 5xx, no answer, an answer too late.
    :param refusals: requests that were answered with 4xx.
    :param timed: requests whose latency is known.
    :param slower: of these, how many took longer than each rung of the window's ladder.
    :param p50_ms: the median of the model's latency, in milliseconds.
    :param p99_ms: its 99th percentile.
    """

    at: float
    requests: int = 0
    failures: int = 0
    refusals: int = 0
    timed: int = 0
    slower: tuple[int, ...] = ()
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One variant, watched for a while.

    :param periods: in the order of time.
    :param ladder_ms: latencies that requests are counted above, rising; see ``rungs``.
    :param cpu_percent: of all cores of an instance together, period by period; none: unknown.
    :param gpu_percent: of all GPUs of an instance together.
    :param gpu_memory_percent: of the memory of all GPUs together.
    :param memory_percent: of an instance's memory.
    """

    periods: tuple[Period, ...] = ()
    ladder_ms: tuple[float, ...] = ()
    cpu_percent: tuple[float, ...] = ()
    gpu_percent: tuple[float, ...] = ()
    gpu_memory_percent: tuple[float, ...] = ()
    memory_percent: tuple[float, ...] = ()

    def since(self, moment: float | None) -> "tuple[Period, ...]":
        """The periods that began at ``moment`` or later; None: all."""
        return tuple(one for one in self.periods if moment is None or one.at >= moment)

    def slower_than(self, latency_ms: float, since: float | None = None) -> tuple[int, int]:
        """How many requests took longer than a rung of the ladder, and how many were timed.

        :param latency_ms: a rung; any other number is a ``ValueError``.
        :param since: see ``since``.
        """
        place = self.ladder_ms.index(latency_ms)
        counted = [one for one in self.since(since) if one.slower]
        return sum(one.slower[place] for one in counted), sum(one.timed for one in counted)

    def told(self, since: float | None = None) -> dict[str, Any]:
        """The figures that a record and a report show; percentiles are the periods' means, weighed by requests."""
        periods = self.since(since)
        requests, failures = sum(one.requests for one in periods), sum(one.failures for one in periods)
        figures: dict[str, Any] = {
            "requests": requests,
            "failures": failures,
            "error_share": round(failures / requests, _PLACES) if requests else None,
            "refusals": sum(one.refusals for one in periods),
            "latency_p50_ms": _weighed((one.p50_ms, one.timed) for one in periods),
            "latency_p99_ms": _weighed((one.p99_ms, one.timed) for one in periods),
        }
        for name in ("cpu_percent", "gpu_percent", "gpu_memory_percent", "memory_percent"):
            values = getattr(self, name)
            figures[name] = round(values[-1], 1) if values else None
        return figures


def _weighed(values: Iterable[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None and weight]
    total = sum(weight for _, weight in known)
    return round(sum(value * weight for value, weight in known) / total, 3) if total else None
