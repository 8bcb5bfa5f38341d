"""Simulated outcomes, gathered as the tables gather them."""

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.release.ab_test.runtime.decision import Look
from mlplatform_cdk.release.ab_test.runtime.samples import Sample
from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, Guard, Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import Arm
from mlplatform_cdk.runtimekit.ab_test.tallies import Sums, Tally

CONVERTED = Metric(name="converted", effect=0.01)
FAILED = Metric(name="failed", goal="decrease", effect=0.01)
PLAN = TestPlan(metric=CONVERTED)
NAMES = ("a", "b", "c", "d", "e")


def arms(*shares: float) -> tuple[Arm, ...]:
    return tuple(Arm(variant=NAMES[index], version="", share=share) for index, share in enumerate(shares))


def hits(count: int, successes: int, *, metric: str = "converted", exposed: int | None = None) -> Tally:
    sums = Sums(count, Decimal(successes), Decimal(successes))
    return Tally(count if exposed is None else exposed, {metric: sums})


def look(*tallies: Tally, plan: TestPlan = PLAN, number: int = 1, **more: Any) -> Look:
    given = {"arms": arms(*plan.shares(len(tallies))), "run": "r1"} | more
    return Look(plan=plan, tallies=tallies, number=number, **given)


def guarded(margin: float = 0.0) -> TestPlan:
    return TestPlan(metric=CONVERTED, guards=(Guard(metric=FAILED, margin=margin),))


def samples(values: NDArray[np.float64], counts: NDArray[np.int64], metric: Metric) -> list[list[Sample]]:
    """By stream (a row of ``values``), the sample at each of ``counts``."""
    last = counts - 1
    total = np.cumsum(values, axis=1)[:, last]
    squares = np.cumsum(values**2, axis=1)[:, last]
    means = total / counts
    near = (total + 0.5) / (counts + 1)
    spread = near * (1 - near) if metric.kind == BINARY else (squares - total * means) / (counts - 1)
    return [
        [Sample(int(n), float(mean), float(variance)) for n, mean, variance in zip(counts, row, variances, strict=True)]
        for row, variances in zip(means, spread, strict=True)
    ]
