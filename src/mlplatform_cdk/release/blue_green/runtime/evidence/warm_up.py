"""A load for green before its first real request: what fails only under load fails where nobody sees it."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.asking import CONCURRENCY, Answer, Question, ask_all

LONGEST_S = 120.0  # a step has five minutes
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load found.

    :param requests: how many were sent.
    :param failed: how many were not answered.
    :param latency_p50_ms: the median, from here and back, in milliseconds; None: nothing was answered.
    :param latency_p99_ms: the 99th percentile.
    :param problems: the first few reasons, each once.
    """

    requests: int
    failed: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    problems: tuple[str, ...]

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self) | {"problems": [*self.problems]}


def warm_up(
    endpoint: str,
    variant: str,
    questions: Sequence[Question],
    *,
    requests: int,
    concurrency: int = CONCURRENCY,
    longest_s: float = LONGEST_S,
) -> Load:
    """Ask ``questions`` in turn until there were ``requests`` or the time is up.

    :param endpoint: the endpoint's name.
    :param variant: green; whatever its weight, each request names it.
    :param questions: the golden requests.
    :param requests: how many to send.
    :param concurrency: how many at once; default: 8.
    :param longest_s: no request begins after so many seconds; default: 120.
    """
    deadline = time.monotonic() + longest_s
    answers: list[Answer] = []
    rest = islice(cycle(questions), requests) if questions else iter(())
    while time.monotonic() < deadline and (batch := [*islice(rest, 4 * concurrency)]):
        answers += ask_all(endpoint, variant, batch, concurrency=concurrency)
    return summary(answers)


def summary(answers: Sequence[Answer]) -> Load:
    """The figures of ``answers``."""
    latencies = sorted(one.latency_ms for one in answers if one.body is not None)
    problems = dict.fromkeys(one.problem for one in answers if one.body is None)
    return Load(
        requests=len(answers),
        failed=len(answers) - len(latencies),
        latency_p50_ms=_percentile(latencies, 0.5),
        latency_p99_ms=_percentile(latencies, 0.99),
        problems=tuple(islice(problems, _SHOWN)),
    )


def _percentile(rising: Sequence[float], share: float) -> float | None:
    """The smallest value that ``share`` of the values do not exceed."""
    return round(rising[max(math.ceil(share * len(rising)) - 1, 0)], 3) if rising else None
