"""What is tried, what came of it, and which is best: pure, so that the choice can be read and tested."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.manifest import EngineName, Precision

_SAME = 0.03  # two measurements closer than this are equal; the simpler setting wins
_SHARE_OF_BUDGET = 0.5  # a batch may take so much of the latency budget: a request may come right after one began


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """An engine with a file, asked by as many threads as there are lanes.

    :param engine: see ``EngineChoice``.
    :param precision: of the file.
    :param lanes: batches at once.
    :param threads: cores to a batch.
    :param batch: rows in each.
    :param rows_per_second: of all lanes together.
    :param milliseconds: of one batch, the median.
    """

    engine: EngineName
    precision: Precision
    lanes: int
    threads: int
    batch: int
    rows_per_second: float
    milliseconds: float

    def told(self) -> str:
        """The trial in words."""
        return f"{self.engine} {self.precision}, {self.lanes} lanes of {self.threads}, batches of {self.batch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The container under load, with one setting changed or none.

    :param changed: what, in words; empty: nothing.
    :param max_batch_size: see ``Settings``.
    :param max_batch_delay_ms: likewise.
    :param processes: likewise.
    :param requests_per_second: answered.
    :param p50_ms: half of the answers took no longer.
    :param p99_ms: nor 99 of 100 than this.
    """

    changed: str
    max_batch_size: int
    max_batch_delay_ms: float
    processes: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


def best_compute(trials: Sequence[Compute], budget_ms: float) -> Compute:
    """The most rows a second, within the latency budget; of about equal ones the smallest batch, in the order tried.

    :param trials: at least one; the simplest first.
    :param budget_ms: how long an answer may take.
    """
    allowed = [one for one in trials if one.milliseconds <= budget_ms * _SHARE_OF_BUDGET]
    # Where nothing fits, the quickest is the best that there is.
    pool = allowed or [min(trials, key=lambda one: one.milliseconds)]
    most = max(one.rows_per_second for one in pool)
    good = [one for one in pool if one.rows_per_second >= most * (1 - _SAME)]
    return min(good, key=lambda one: one.batch)


def best_served(trials: Sequence[Served], budget_ms: float) -> Served:
    """The most requests a second with a p99 within the budget; the first one, unless another is clearly better.

    :param trials: at least one; the first is the plain setting.
    :param budget_ms: how long an answer may take.
    """
    allowed = [one for one in trials if one.p99_ms <= budget_ms] or list(trials)
    chosen = allowed[0]
    for one in allowed[1:]:
        if one.requests_per_second > chosen.requests_per_second * (1 + _SAME):
            chosen = one
    return chosen
