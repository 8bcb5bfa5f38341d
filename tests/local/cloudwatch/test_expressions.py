"""Is metric math what CloudWatch makes of it, and is it said where it ends?"""

import math

import pytest

from mlplatform_cdk.local.adapters.cloudwatch.arithmetic import Unevaluated
from mlplatform_cdk.local.adapters.cloudwatch.composite import BrokenRule, holds
from mlplatform_cdk.local.adapters.cloudwatch.expressions import Scope, evaluate

GRID = (0.0, 60.0, 120.0)
SCOPE = Scope(
    values={
        "n": {0.0: 100.0, 60.0: 10.0, 120.0: 200.0},
        "e": {0.0: 5.0, 120.0: 0.0},
        "nothing": {},
    },
    grid=GRID,
    period=60,
)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("1 + 2 * 3 - 4 / 2", [5, 5, 5]),
        ("-(2 ^ 3) ^ 2", [-64, -64, -64]),
        ("n * 2", [200, 20, 400]),
        ("e / n", [0.05, None, 0]),
        ("n / e", [20, None, None]),
        ("FILL(e, 0) / n", [0.05, 0, 0]),
        ("FILL(e, REPEAT)", [5, 5, 0]),
        ("FILL(nothing, 7)", [7, 7, 7]),
        ("IF(n >= 20, FILL(e, 0), -1)", [5, -1, 0]),
        ("IF(n >= 20 AND FILL(e, 0) > 1, 1)", [1, None, None]),
        ("IF(NOT (n > 50) || n == 200, 1, 0)", [0, 1, 1]),
        ("IF(n >= 20, FILL(e, 0) - (n * 0.01 + 3.3 * SQRT(n * 0.0099) + 3), 0)", [-2.2834, 0, -9.6436]),
        ("MAX([n, FILL(e, 300)])", [100, 300, 200]),
        ("SUM([n, e])", [105, 10, 200]),
        ("AVG(n)", [310 / 3] * 3),
        ("MIN(METRICS())", [5, 10, 0]),
        ("SUM(METRICS('n'))", [100, 10, 200]),
        ("n / PERIOD(n)", [100 / 60, 10 / 60, 200 / 60]),
        ("ABS(0 - n) + CEIL(0.2) + FLOOR(1.8)", [102, 12, 202]),
        ("LOG10(n)", [2, 1, math.log10(200)]),
        ("n != 10", [1, 0, 1]),
        ("1e2 <= n && n < 2E2", [1, 0, 0]),
    ],
)
def test_an_expression_is_evaluated_period_by_period(expression: str, values: list[float | None]) -> None:
    found = evaluate(expression, SCOPE)

    assert [found.get(at) for at in GRID] == [None if one is None else pytest.approx(one, abs=1e-4) for one in values]


@pytest.mark.parametrize(
    "expression",
    [
        "SEARCH('{AWS/SageMaker}', 'Sum', 60)",
        "SELECT AVG(CPUUtilization) FROM x",
        "ANOMALY_DETECTION_BAND(n, 2)",
        "RATE(n)",
        "FILL(n, LINEAR)",
        "METRICS() * 2",
        "METRICS()",
        "n +",
        "(n",
        "n n",
        "unknown + 1",
        "n ? 1 : 2",
        "",
        "IF(METRICS(), 1)",
    ],
)
def test_what_is_not_evaluated_is_said_and_never_guessed(expression: str) -> None:
    with pytest.raises(Unevaluated, match=r"embedded AWS|ends too early"):
        evaluate(expression, SCOPE)


STATES = {"a": "ALARM", "b": "OK", "my alarm": "ALARM", "c": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "truth"),
    [
        ("ALARM(a)", True),
        ("ALARM(b) OR ALARM('my alarm')", True),
        ('ALARM(a) AND NOT ALARM("my alarm")', False),
        ("OK(b) AND (INSUFFICIENT_DATA(c) OR ALARM(b))", True),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a)", True),
        ("ALARM(gone) OR FALSE", False),
        ("NOT OK(gone) AND TRUE", True),
        ("TRUE OR FALSE AND FALSE", True),
    ],
)
def test_a_composite_alarm_is_its_rule(rule: str, truth: bool) -> None:  # noqa: FBT001 - the expected truth
    assert holds(rule, STATES.get) is truth


@pytest.mark.parametrize("rule", ["", "ALARM(a", "ALARM(a) ALARM(b)", "a OR b", "(ALARM(a)", "AND", "ALARM(a) OR"])
def test_a_rule_that_cannot_be_read_is_no_rule(rule: str) -> None:
    with pytest.raises(BrokenRule):
        holds(rule, STATES.get)
