"""Operators and functions of metric math, on numbers, on time series and on lists of them. Pure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

Series = dict[float, float]  # by the period's beginning
Value = float | Series | list[Series]
Operator = Callable[[float, float], float | None]


class Unevaluated(ValueError):
    """An expression that the embedded AWS does not evaluate, or that is none."""


def each(apply: Callable[[float], float | None], value: Value) -> Value:
    """The function of a number, of each value of a series, or of each of a list."""
    if isinstance(value, list):
        return [one for one in (each(apply, series) for series in value) if isinstance(one, dict)]
    if isinstance(value, float):
        result = apply(value)
        return math.nan if result is None else result
    return {at: result for at, one in value.items() if (result := apply(one)) is not None}


def pair(apply: Callable[[float, float], float | None], one: Value, two: Value) -> Value:
    """The operator on numbers, or on the periods in which both sides have a value."""
    if isinstance(one, list) or isinstance(two, list):
        raise Unevaluated("the embedded AWS has no operators on lists of time series; use SUM, AVG, MIN or MAX")
    if isinstance(one, float) and isinstance(two, float):
        result = apply(one, two)
        return math.nan if result is None else result
    moments = [at for at in (two if isinstance(one, float) else one) if isinstance(two, float) or at in two]  # type: ignore[union-attr]
    found: Series = {}
    for at in moments:
        left = one if isinstance(one, float) else one[at]
        result = apply(left, two if isinstance(two, float) else two[at])
        if result is not None:
            found[at] = result
    return found


def across(apply: Callable[[Sequence[float]], float], value: Value) -> Value:
    """SUM, AVG, MIN, MAX: of a list, period by period; of one series, a number."""
    if isinstance(value, list):
        moments = sorted({at for series in value for at in series})
        return {at: apply([series[at] for series in value if at in series]) for at in moments}
    if isinstance(value, float):
        return value
    return apply([*value.values()]) if value else math.nan


def repeated(series: Series, grid: Sequence[float]) -> Series:
    """The series with its last value wherever it has none."""
    found: Series = {}
    last: float | None = None
    for at in grid:
        last = series.get(at, last)
        if last is not None:
            found[at] = last
    return found


def divide(one: float, two: float) -> float | None:
    """The quotient; none by zero, as in CloudWatch."""
    return one / two if two else None


def power(one: float, two: float) -> float | None:
    """The power, where it is a real number."""
    try:
        result = one**two
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float) else None


def either(one: float, two: float) -> float:
    """1 where one of the two is not 0."""
    return float(bool(one) or bool(two))


def both(one: float, two: float) -> float:
    """1 where neither is 0."""
    return float(bool(one) and bool(two))


def _comparing(compare: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda one, two: float(compare(one, two))


COMPARISONS = {
    "<": _comparing(operator.lt),
    "<=": _comparing(operator.le),
    ">": _comparing(operator.gt),
    ">=": _comparing(operator.ge),
    "==": _comparing(operator.eq),
    "!=": _comparing(operator.ne),
}
ELEMENTWISE: dict[str, Callable[[float], float | None]] = {
    "ABS": abs,
    "CEIL": lambda one: float(math.ceil(one)),
    "FLOOR": lambda one: float(math.floor(one)),
    "EXP": math.exp,
    "SQRT": lambda one: math.sqrt(one) if one >= 0 else None,
    "LOG": lambda one: math.log(one) if one > 0 else None,
    "LOG10": lambda one: math.log10(one) if one > 0 else None,
}
ACROSS: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
