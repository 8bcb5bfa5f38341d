"""Every measurement by its metric: kept as measured, so that any statistic of any period can be had of it.

moto keeps one list for all metrics, which each question goes through, and no percentiles.
"""

from __future__ import annotations

import bisect
import threading
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters.cloudwatch.statistics import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST = 400_000  # measurements of one metric; half of them go when there are more
Set = tuple[float, float, float, float]  # how many, their sum, the least, the greatest


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one account and region.

    :param account: the account.
    :param region: the region.
    :param namespace: such as ``AWS/SageMaker``.
    :param name: such as ``Invocations``.
    :param dimensions: pairs of name and value, sorted; they tell one metric from another, all together.
    """

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(account: str, region: str, namespace: str, name: str, dimensions: Iterable[Mapping[str, Any]]) -> Metric:
        """The metric with these dimensions, as the API writes them."""
        pairs = tuple(sorted((str(one["Name"]), str(one["Value"])) for one in dimensions))
        return Metric(account, region, namespace, name, pairs)


class _Series:
    """The measurements of one metric."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at, self.values, self.counts = array("d"), array("d"), array("d")
        self.sets: list[tuple[float, Set]] = []
        self.unit = "None"

    def add(self, at: float, value: float, count: float) -> None:
        with self.lock:
            place = len(self.at)
            while place and self.at[place - 1] > at:  # late ones are few and not late by much
                place -= 1
            for store, one in ((self.at, at), (self.values, value), (self.counts, count)):
                store.insert(place, one)
            if len(self.at) > _MOST:
                for store in (self.at, self.values, self.counts):
                    del store[: _MOST // 2]

    def within(self, start: float, end: float) -> tuple[list[tuple[float, float, float]], list[tuple[float, Set]]]:
        with self.lock:
            low, high = bisect.bisect_left(self.at, start), bisect.bisect_left(self.at, end)
            points = list(zip(self.at[low:high], self.values[low:high], self.counts[low:high], strict=True))
            return points, [one for one in self.sets if start <= one[0] < end]


class Store:
    """All measurements of an embedded AWS."""

    def __init__(self) -> None:
        self._series: dict[Metric, _Series] = defaultdict(_Series)

    def metrics(self, account: str, region: str) -> list[Metric]:
        """All metrics of an account and region of which anything was measured."""
        return [one for one in list(self._series) if (one.account, one.region) == (account, region)]

    def add(
        self, metric: Metric, value: float, *, count: float = 1.0, at: float | None = None, unit: str = "None"
    ) -> None:
        """Keep a value that was measured ``count`` times.

        :param metric: what was measured.
        :param value: the value.
        :param count: how often; default: once.
        :param at: seconds since 1970; default: now.
        :param unit: of the value; default: none.
        """
        series = self._series[metric]
        series.unit = unit
        series.add(time.time() if at is None else at, value, count)

    def add_set(self, metric: Metric, values: Set, *, at: float, unit: str = "None") -> None:
        """Keep a statistic set: how many values, their sum, the least and the greatest."""
        count, total, least, greatest = values
        if least == greatest or count == 1:
            self.add(metric, total / count, count=count, at=at, unit=unit)
            return
        series = self._series[metric]
        series.unit = unit
        with series.lock:
            series.sets.append((at, values))

    def unit(self, metric: Metric) -> str:
        """The unit of what was measured last."""
        return self._series[metric].unit if metric in self._series else "None"

    def summaries(self, metric: Metric, start: float, end: float, period: int) -> dict[float, Summary]:
        """What was measured, by the beginning of its period; periods without data are left out.

        :param metric: what was measured.
        :param start: seconds since 1970; periods are whole from here on.
        :param end: seconds since 1970, exclusive.
        :param period: real seconds.
        """
        if metric not in self._series:
            return {}
        points, sets = self._series[metric].within(start, end)
        values: dict[float, list[tuple[float, float]]] = defaultdict(list)
        bundles: dict[float, list[Set]] = defaultdict(list)
        for at, value, count in points:
            values[start + (at - start) // period * period].append((value, count))
        for at, bundle in sets:
            bundles[start + (at - start) // period * period].append(bundle)
        moments = sorted({*values, *bundles})
        return {moment: Summary(values.get(moment, ()), bundles.get(moment, ())) for moment in moments}


STORE = Store()


def real_period(seconds: float) -> int:
    """How long a metric's period takes here: by the rehearsal's clock, in whole seconds and at least one."""
    return max(1, round(float(seconds) * settings.current().clock_factor))


def floor(moment: float, period: int) -> float:
    """The beginning of the period in which ``moment`` lies; periods are whole since 1970."""
    return moment // period * period


def seconds_of(moment: datetime) -> float:
    """Seconds since 1970; without a zone it is UTC, as in all of moto."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment_of(seconds: float) -> datetime:
    """The moment in UTC without a zone, as moto writes it."""
    return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)
