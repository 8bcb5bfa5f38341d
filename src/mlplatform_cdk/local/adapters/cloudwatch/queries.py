"""What GetMetricData and alarms ask: metrics and expressions over them, on one grid of periods."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudwatch.arithmetic import Series, Unevaluated
from mlplatform_cdk.local.adapters.cloudwatch.expressions import Scope, evaluate
from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, Metric, floor, real_period

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlplatform_cdk.local.adapters.cloudwatch.statistics import Summary

DEFAULT_PERIOD = 60
Found = tuple[Metric, float, float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One MetricDataQuery.

    :param id: how others name it.
    :param metric: what was measured; None for an expression.
    :param statistic: of the metric.
    :param expression: over the others.
    :param period: seconds, as the template says them.
    :param label: default: what AWS would make of the rest.
    :param returned: whether it is part of the answer.
    """

    id: str
    metric: Metric | None = None
    statistic: str = ""
    expression: str = ""
    period: float | None = None
    label: str = ""
    returned: bool = True

    @staticmethod
    def of(account: str, region: str, asked: dict[str, Any]) -> Query:
        """The query that GetMetricData was asked, for the metrics of this account and region."""
        given = asked.get("MetricStat")
        plain = {"id": asked["Id"], "label": asked.get("Label") or "", "returned": asked.get("ReturnData") is not False}
        if given is None:
            period = asked.get("Period")
            return Query(expression=asked["Expression"], period=float(period) if period else None, **plain)
        named = given["Metric"]
        metric = Metric.of(account, region, named["Namespace"], named["MetricName"], named.get("Dimensions") or ())
        return Query(metric=metric, statistic=given["Stat"], period=float(given["Period"]), **plain)


@dataclass(slots=True)
class Asked:
    """All queries of one question, each answered once, whatever names it.

    :param queries: the queries.
    :param start: seconds since 1970; it is moved to the beginning of its period, as CloudWatch does.
    :param end: seconds since 1970, exclusive.
    """

    queries: Sequence[Query]
    start: float
    end: float
    _known: dict[str, Series] = field(default_factory=dict)
    _under_way: set[str] = field(default_factory=set)
    _summaries: dict[Found, dict[float, Summary]] = field(default_factory=dict)

    def series(self, query: Query) -> Series:
        """The query's values, by the beginning of the period.

        :raises Unevaluated: when an expression, or one that it names, is not evaluated here.
        """
        if query.id not in self._known:
            if query.id in self._under_way:
                raise Unevaluated(f"the expression {query.id} names itself")
            self._under_way.add(query.id)
            self._known[query.id] = self._measured(query) if query.metric else self._evaluated(query)
        return self._known[query.id]

    def _measured(self, query: Query) -> Series:
        assert query.metric is not None
        period = real_period(query.period or DEFAULT_PERIOD)
        start = floor(self.start, period)
        key = (query.metric, start, self.end, period)
        if key not in self._summaries:
            self._summaries[key] = STORE.summaries(*key)
        found = ((at, one.of(query.statistic)) for at, one in self._summaries[key].items())
        return {at: value for at, value in found if value is not None}

    def _evaluated(self, query: Query) -> Series:
        period = self.period_of(query)
        real = real_period(period)
        first = floor(self.start, real)
        grid = [first + real * step for step in range(max(0, -int((first - self.end) // real)))]
        return evaluate(query.expression, Scope(values=_Lazy(self), grid=grid, period=period))

    def period_of(self, query: Query) -> float:
        """The query's own period, or the longest of all."""
        return query.period or max((one.period or 0 for one in self.queries), default=0) or DEFAULT_PERIOD


class _Lazy(dict[str, Series]):
    """Answers a query when an expression names it."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._by_id = {one.id: one for one in asked.queries}
        self._answer: Callable[[Query], Series] = asked.series

    def __contains__(self, name: object) -> bool:
        return name in self._by_id

    def __getitem__(self, name: str) -> Series:
        return self._answer(self._by_id[name])

    def items(self) -> Any:
        """The metrics alone, which is what METRICS() lists."""
        return [(name, self[name]) for name, query in self._by_id.items() if query.metric]
