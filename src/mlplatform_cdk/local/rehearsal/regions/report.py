"""What a rehearsal of regions found, as values: shown to people, dumped for machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The calls of one kind of caller in one scenario.

    :param sent: all.
    :param failed: without an answer.
    :param wrong: answered, but not with the right answer.
    :param last_bad_s: seconds from the fault to the last one that failed or was wrong; None: there was none.
    :param p99_ms: of all, from the fault to its end.
    """

    sent: int
    failed: int
    wrong: int
    last_bad_s: float | None
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The calls that were sent in one second, counted from the first.

    :param at: which second.
    :param struck: answered rightly by the region that the fault is for.
    :param other: answered rightly by the other.
    :param bad: failed, or answered wrongly.
    """

    at: int
    struck: int = 0
    other: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What callers got from the fault until the end of it.

    :param asked: calls a second.
    :param right: right answers a second.
    :param survivor_before: calls a second that the other region answered before the fault.
    :param survivor_during: and after the last caller had come over.
    :param p99_before_ms: of its answers before.
    :param p99_during_ms: and after.
    :param scaled_s: seconds from the fault until the other region had more instances.
    :param instances: by region, (seconds since the fault, how many instances its endpoint had from then on).
    """

    asked: float
    right: float
    survivor_before: float
    survivor_during: float
    p99_before_ms: float
    p99_during_ms: float
    scaled_s: float | None = None
    instances: dict[str, tuple[tuple[float, int], ...]] = field(default_factory=dict)


def scaled(capacity: Capacity | None) -> str:
    """How the instances of the other region grew, in words; empty: they did not, or nobody looked."""
    counts = [count for _, count in [*capacity.instances.values()][-1]] if capacity and capacity.instances else []
    if capacity is None or capacity.scaled_s is None or not counts:
        return ""
    return f"{counts[0]} to {max(counts)} in {capacity.scaled_s:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One scenario; seconds are those that passed here.

    :param name: of the scenario.
    :param title: for people.
    :param held: whether all was as it must be.
    :param problems: what was not, in sentences.
    :param detect_s: from the fault to the region's own verdict that it is out of service.
    :param detect_within_s: three of the probe's intervals.
    :param shift_s: from the fault to the moment from which the name leads elsewhere.
    :param left_s: from the fault to the last call by DNS that reached the region.
    :param left_within_s: what the last may take: the shift and a time to live.
    :param well_s: from the end of the fault to the verdict that the region is in service;
        of a bad version: from the fault until all regions answer by the version before again.
    :param return_s: from the end of the fault to the moment from which the name leads there again.
    :param back_s: from the end of the fault to the first call by DNS that it answers.
    :param plain: calls by DNS alone.
    :param client: calls by the client helper.
    :param capacity: during the fault.
    :param moments: (seconds since the fault, what happened).
    :param struck_s: from the first call to the fault.
    :param plain_by_second: calls by DNS alone.
    :param client_by_second: calls by the client helper.
    :param failures: the different messages of failed calls, with how often.
    """

    name: str
    title: str
    held: bool
    problems: tuple[str, ...] = ()
    detect_s: float | None = None
    detect_within_s: float = 0.0
    shift_s: float | None = None
    left_s: float | None = None
    left_within_s: float | None = None
    well_s: float | None = None
    return_s: float | None = None
    back_s: float | None = None
    plain: Counts | None = None
    client: Counts | None = None
    capacity: Capacity | None = None
    moments: tuple[tuple[float, str], ...] = ()
    struck_s: float = 0.0
    plain_by_second: tuple[Second, ...] = ()
    client_by_second: tuple[Second, ...] = ()
    failures: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RegionsReport:
    """All scenarios of one rehearsal.

    :param domain: the one name.
    :param regions: behind it.
    :param machine: on what.
    :param clock: how time was compressed, in words.
    :param rate: calls a second that were asked for.
    :param seconds: how long all of it took.
    :param outcomes: one for each scenario.
    """

    domain: str
    regions: tuple[str, ...]
    machine: dict[str, Any]
    clock: str
    rate: float
    seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every scenario was as it must be, and there was one."""
        return bool(self.outcomes) and all(one.held for one in self.outcomes)

    def to_json(self) -> str:
        """The report as JSON, times in seconds rounded to milliseconds."""
        return json.dumps(_rounded(asdict(self) | {"held": self.held}), indent=2)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
