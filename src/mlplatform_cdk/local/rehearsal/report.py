"""What a rehearsal found, as values: shown to people, dumped for machines, drawn as a page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The requests that ended in one second, counted from the scenario's begin.

    :param at: which second.
    :param blue: answered by the version that was live.
    :param green: answered by the version that came.
    :param failed: answered by neither.
    """

    at: int
    blue: int = 0
    green: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The requests of one scenario.

    :param sent: all.
    :param answered: with a prediction.
    :param by_green: answered by the version that came.
    :param wrong: answered with another prediction than the right one.
    :param failed: without a prediction.
    :param failed_by_green: of these, what green failed: its own errors.
    :param failed_otherwise: of these, all others, of which there must be none.
    """

    sent: int
    answered: int
    by_green: int
    wrong: int
    failed: int
    failed_by_green: int
    failed_otherwise: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One scenario. Times are seconds since it began.

    :param name: of the scenario.
    :param title: for people.
    :param version: what was wrong with the version.
    :param held: whether all was as it must be; None: it does not apply.
    :param problems: what was not, in sentences; or why it does not apply.
    :param seconds: how long it took.
    :param ending: how the execution ended, with its error and its cause.
    :param counts: the requests; None where it does not apply.
    :param highest_share: the largest part of the traffic that green ever had, in percent.
    :param fault_s: when the fault showed itself, or was done.
    :param verdict_s: when the release decided to go back.
    :param last_green_s: when green answered, or failed, its last request.
    :param counts_from: ``fault`` or ``verdict``: from when green's last request must come within seconds.
    :param proof_requests: how many requests green got from the fault to the verdict; None: there was none of the two.
    :param timeline: requests by second.
    :param shares: (second, green's share in percent) whenever it changed.
    :param moments: (second, what happened).
    :param failures: the different messages of failed requests, with how often.
    """

    name: str
    title: str
    version: str
    held: bool | None
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    ending: str = ""
    counts: Counts | None = None
    highest_share: float = 0.0
    fault_s: float | None = None
    verdict_s: float | None = None
    last_green_s: float | None = None
    counts_from: str = "fault"
    proof_requests: int | None = None
    timeline: tuple[Second, ...] = ()
    shares: tuple[tuple[float, float], ...] = ()
    moments: tuple[tuple[float, str], ...] = ()
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def from_fault_s(self) -> float | None:
        """From the fault to the last request that green answered; None where callers never met it."""
        if self.fault_s is None or self.last_green_s is None:
            return None
        return max(self.last_green_s - self.fault_s, 0.0)

    @property
    def from_verdict_s(self) -> float | None:
        """From the decision to go back to the last request that green answered."""
        if self.verdict_s is None or self.last_green_s is None:
            return None
        return max(self.last_green_s - self.verdict_s, 0.0)

    @property
    def back_s(self) -> float | None:
        """The one of the two that must be short."""
        return self.from_fault_s if self.counts_from == "fault" else self.from_verdict_s


@dataclass(slots=True, kw_only=True)
class RehearsalReport:
    """All scenarios of one rehearsal.

    :param endpoint: whose releases were rehearsed.
    :param assembly: where they come from.
    :param machine: on what.
    :param strategy: as the deployed machine has it.
    :param clock: how time was compressed, in words.
    :param rate: requests a second that were asked for.
    :param seconds: how long all of it took.
    :param outcomes: one for each scenario.
    """

    endpoint: str
    assembly: str
    machine: dict[str, Any]
    strategy: dict[str, Any]
    clock: str
    rate: float
    seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every scenario that applies was as it must be, and there was one."""
        applied = [one for one in self.outcomes if one.held is not None]
        return bool(applied) and all(one.held for one in applied)

    def to_json(self) -> str:
        """The report as JSON, times in seconds rounded to milliseconds."""
        values = asdict(self) | {"held": self.held}
        for value, outcome in zip(values["outcomes"], self.outcomes, strict=True):
            value["from_fault_s"], value["from_verdict_s"] = outcome.from_fault_s, outcome.from_verdict_s
        return json.dumps(_rounded(values), indent=2)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
