"""Metric math: the part of it that alarms and dashboards of a platform use, and a clear word where it ends. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

Evaluated: numbers, ids, ``+ - * / ^``, comparisons, ``AND OR NOT && || !``, and the functions IF, FILL (with a number
or REPEAT), ABS, CEIL, FLOOR, SQRT, LOG, LOG10, EXP, SUM, AVG, MIN, MAX, METRICS and PERIOD. Not: SEARCH, queries
(``SELECT``), anomaly bands, sorting and slicing, LINEAR, RATE and the other functions of time.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.cloudwatch import arithmetic
from mlplatform_cdk.local.adapters.cloudwatch.arithmetic import Series, Unevaluated, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/^<>(),!\[\]]))"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can name.

    :param values: metrics and other expressions, by id.
    :param grid: the beginnings of all periods that are asked for, data or none.
    :param period: seconds of a period, as the template says it.
    """

    values: Mapping[str, Series]
    grid: Sequence[float]
    period: float


def evaluate(expression: str, scope: Scope) -> Series:
    """The time series that ``expression`` is; periods without a value are left out.

    :raises Unevaluated: saying what is not evaluated.
    """
    parser = _Parser(expression, scope)
    value = parser.either()
    if parser.left():
        raise Unevaluated(f"the embedded AWS cannot read {expression!r} from {parser.left()[0]!r} on")
    if isinstance(value, list):
        raise Unevaluated(f"the embedded AWS evaluates expressions of one time series, got several: {expression!r}")
    return dict.fromkeys(scope.grid, value) if isinstance(value, float) else value


class _Parser:
    """Reads and evaluates at once, from the weakest operator to the strongest."""

    def __init__(self, expression: str, scope: Scope) -> None:
        self._expression, self._scope = expression, scope
        self._tokens = _tokens(expression)
        self._place = 0

    def left(self) -> list[str]:
        """The tokens that were not read."""
        return self._tokens[self._place :]

    def either(self) -> Value:
        return self._chain(self._both, {"OR": arithmetic.either, "||": arithmetic.either})

    def _both(self) -> Value:
        return self._chain(self._comparison, {"AND": arithmetic.both, "&&": arithmetic.both})

    def _comparison(self) -> Value:
        return self._chain(self._sum, arithmetic.COMPARISONS)

    def _sum(self) -> Value:
        return self._chain(self._product, {"+": operator.add, "-": operator.sub})

    def _product(self) -> Value:
        return self._chain(self._signed, {"*": operator.mul, "/": arithmetic.divide})

    def _signed(self) -> Value:
        if self._take("-"):
            return arithmetic.each(operator.neg, self._signed())
        if self._take("NOT") or self._take("!"):
            return arithmetic.each(lambda one: float(not one), self._signed())
        base = self._atom()
        return arithmetic.pair(arithmetic.power, base, self._signed()) if self._take("^") else base

    def _chain(
        self, part: Callable[[], Value], operators: Mapping[str, Callable[[float, float], float | None]]
    ) -> Value:
        value = part()
        while self.left() and self.left()[0].upper() in operators:
            apply = operators[self.left()[0].upper()]
            self._place += 1
            value = arithmetic.pair(apply, value, part())
        return value

    def _atom(self) -> Value:
        if not self.left():
            raise Unevaluated(f"the expression {self._expression!r} ends too early")
        word = self.left()[0]
        self._place += 1
        if word == "(":
            value = self.either()
            self._expect(")")
            return value
        if word == "[":
            return self._list()
        if word[0].isdigit() or word[0] == ".":
            return float(word)
        if self._take("("):
            return self._function(word)
        if word in self._scope.values:
            return self._scope.values[word]
        raise Unevaluated(f"the embedded AWS cannot read {word!r} in {self._expression!r}")

    def _list(self) -> list[Series]:
        found: list[Series] = []
        while not self._take("]"):
            value = self.either()
            found += value if isinstance(value, list) else [self._series(value)]
            self._take(",")
        return found

    def _function(self, name: str) -> Value:
        if name == "PERIOD":
            self.either()
            self._expect(")")
            return float(self._scope.period)
        if name == "METRICS":
            prefix = "" if self.left()[:1] == [")"] else self.left()[0].strip("\"'")
            self._place += bool(prefix)
            self._expect(")")
            return [series for one, series in self._scope.values.items() if prefix in one]
        if name == "FILL":
            return self._filled()
        arguments = [self.either()]
        while self._take(","):
            arguments.append(self.either())
        self._expect(")")
        if name == "IF":
            return self._chosen(arguments)
        if name in arithmetic.ELEMENTWISE and len(arguments) == 1:
            return arithmetic.each(arithmetic.ELEMENTWISE[name], arguments[0])
        if name in arithmetic.ACROSS and len(arguments) == 1:
            return arithmetic.across(arithmetic.ACROSS[name], arguments[0])
        raise Unevaluated(f"the embedded AWS does not evaluate {name}() in {self._expression!r}")

    def _filled(self) -> Value:
        series = self._series(self.either())
        self._expect(",")
        if self._take("REPEAT"):
            self._expect(")")
            return arithmetic.repeated(series, self._scope.grid)
        value = self._series(self.either())
        self._expect(")")
        return {at: series.get(at, value.get(at, math.nan)) for at in self._scope.grid if at in series or at in value}

    def _chosen(self, arguments: list[Value]) -> Series:
        """IF(condition, true, false); where one of the two is a series without a value there, there is none."""
        condition = self._series(arguments[0])
        results = [self._series(one) for one in arguments[1:]]
        chosen: Series = {}
        for at, holds in condition.items():
            place = 0 if holds else 1
            if place < len(results) and at in results[place]:
                chosen[at] = results[place][at]
        return chosen

    def _series(self, value: Value) -> Series:
        if isinstance(value, list):
            raise Unevaluated(f"the embedded AWS wants one time series there: {self._expression!r}")
        return dict.fromkeys(self._scope.grid, value) if isinstance(value, float) else value

    def _take(self, token: str) -> bool:
        if self.left() and self.left()[0].upper() == token:
            self._place += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            came = self.left()[0] if self.left() else "its end"
            raise Unevaluated(f"the embedded AWS wants {token!r} in {self._expression!r}, got {came!r}")


def _tokens(expression: str) -> list[str]:
    found, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unevaluated(f"the embedded AWS cannot read {text[place:]!r} in {expression!r}")
        found.append(match[0].strip())
        place = match.end()
    return found
