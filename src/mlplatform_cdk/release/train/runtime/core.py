"""What a train does next, from what it has done so far. Pure: the time comes in, and nothing else.

A train goes wave by wave. Before each wave it looks at the calendar and asks whoever must say yes; a station that fails
ends the journey, and those that have arrived go back when the train is told to.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from mlplatform_cdk.runtimekit.freeze_calendar import FreezeCalendar

WAIT, ASK, DEPART, RETURN, ARRIVED, FAILED = "wait", "ask", "depart", "return", "arrived", "failed"
_LONGEST_WAIT_S = 24 * 3600  # a calendar is looked at once a day at least


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFacts:
    """One wave, as the template has it.

    :param name: what people call it.
    :param stations: the names of its stations.
    :param approval_s: for how long somebody is asked before it departs, in seconds; 0: nobody is.
    """

    name: str
    stations: Sequence[str]
    approval_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainFacts:
    """A train, as the template has it.

    :param name: what people call it.
    :param waves: in their order.
    :param roll_back: do the stations that have arrived go back when another one fails.
    :param calendar: when a wave may depart; None: always.
    """

    name: str
    waves: Sequence[WaveFacts]
    roll_back: bool
    calendar: FreezeCalendar | None

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "TrainFacts":
        """What the definition holds."""
        return cls(
            name=value["name"],
            waves=tuple(WaveFacts(**one) for one in value["waves"]),
            roll_back=value["roll_back"],
            calendar=FreezeCalendar.from_mapping(value["calendar"]) if value["calendar"] else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one station.

    :param station: its name.
    :param ok: has the version arrived there.
    :param changed: did a release begin there, so that there is something to take back.
    :param package_arn: the version there; empty: it did not come that far.
    :param release: the execution of its release; empty: none began.
    :param reason: why it failed, or what became of it.
    """

    station: str
    ok: bool
    changed: bool
    package_arn: str = ""
    release: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a train has come.

    :param wave: the number of the wave that is next.
    :param approved: up to which wave somebody said yes.
    :param runs: what became of the stations of the waves before.
    :param returns: what became of those that were sent back; None: none was.
    :param failure: why the train goes no further; empty: it does.
    """

    wave: int = 0
    approved: int = -1
    runs: Sequence[Run] = ()
    returns: Sequence[Run] | None = None
    failure: str = ""

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Progress":
        """What ``to_mapping`` gave."""
        returns = value.get("returns")
        return cls(
            wave=value["wave"],
            approved=value["approved"],
            runs=tuple(Run(**one) for one in value["runs"]),
            returns=None if returns is None else tuple(Run(**one) for one in returns),
            failure=value["failure"],
        )

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    def after_wave(self, train: TrainFacts, runs: Sequence[Run]) -> "Progress":
        """With what became of the stations of the wave that departed."""
        bad = "; ".join(f"{one.station}: {one.reason}" for one in runs if not one.ok)
        failure = f"wave {train.waves[self.wave].name} failed at {bad}" if bad else ""
        return replace(self, wave=self.wave + 1, runs=(*self.runs, *runs), failure=failure)

    def after_approval(self) -> "Progress":
        """With a yes to the wave that is next."""
        return replace(self, approved=self.wave)

    def after_refusal(self, train: TrainFacts, reason: str) -> "Progress":
        """With a no to it."""
        return replace(self, failure=f"wave {train.waves[self.wave].name} was not approved: {reason}")

    def after_withdrawal(self, train: TrainFacts, reason: str) -> "Progress":
        """With a version that nobody approves of any more."""
        return replace(self, failure=f"wave {train.waves[self.wave].name} may not depart: {reason}")

    def after_return(self, runs: Sequence[Run]) -> "Progress":
        """With what became of the stations that were sent back."""
        return replace(self, returns=tuple(runs))

    @property
    def changed(self) -> list[Run]:
        """The stations with something to take back, the newest first."""
        return [one for one in reversed(self.runs) if one.changed and one.package_arn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What happens now.

    :param way: one of the words above.
    :param sentence: why, for people and the record.
    :param stations: which of them depart.
    :param returning: which of them go back.
    :param wait_s: how long nothing happens.
    :param approval_s: how long an answer may take.
    :param percent: which share of the stations has arrived.
    """

    way: str
    sentence: str
    stations: Sequence[str] = ()
    returning: Sequence[Run] = ()
    wait_s: int = 0
    approval_s: int = 0
    percent: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


def advance(train: TrainFacts, progress: Progress, now: datetime) -> Next:
    """What is next.

    :param train: as the template has it.
    :param progress: how far it has come.
    :param now: the time, with its zone.
    """
    if progress.failure:
        return _after_failure(train, progress)
    percent = _percent(train, progress)
    if progress.wave == len(train.waves):
        return Next(way=ARRIVED, sentence=f"all {len(progress.runs)} stations have arrived", percent=percent)
    wave = train.waves[progress.wave]
    opening = train.calendar.at(now) if train.calendar else None
    if opening is not None and not opening.is_open:
        if opening.opens is None:
            failed = replace(progress, failure=f"wave {wave.name} may not depart within a year: {opening.reason}")
            return _after_failure(train, failed)
        seconds = max(1, math.ceil((opening.opens - now).total_seconds()))
        until = opening.opens.isoformat(timespec="minutes")
        sentence = f"wave {wave.name} waits until {until}: {opening.reason}"
        return Next(way=WAIT, sentence=sentence, wait_s=min(seconds, _LONGEST_WAIT_S), percent=percent)
    if wave.approval_s and progress.approved < progress.wave:
        sentence = f"somebody must say yes to wave {wave.name}"
        return Next(
            way=ASK, sentence=sentence, approval_s=wave.approval_s, percent=percent, facts=_known(train, progress)
        )
    sentence = f"wave {wave.name} departs to {', '.join(wave.stations)}"
    return Next(way=DEPART, sentence=sentence, stations=tuple(wave.stations), percent=percent)


def _after_failure(train: TrainFacts, progress: Progress) -> Next:
    percent = _percent(train, progress)
    if train.roll_back and progress.returns is None and progress.changed:
        names = ", ".join(one.station for one in progress.changed)
        sentence = f"{progress.failure}; going back: {names}"
        return Next(way=RETURN, sentence=sentence, returning=tuple(progress.changed), percent=percent)
    return Next(way=FAILED, sentence=f"{progress.failure}; {_what_became(train, progress)}", percent=percent)


def _what_became(train: TrainFacts, progress: Progress) -> str:
    """What stands where after a failure."""
    if progress.returns is None:
        there = [one.station for one in progress.runs if one.ok]
        if not there:
            return "nothing was changed anywhere else"
        kept = "keeps" if len(there) == 1 else "keep"
        return f"{', '.join(there)} {kept} the new version, {'which was live there' if train.roll_back else 'as asked'}"
    back = [one.station for one in progress.returns if one.ok]
    lost = [f"{one.station}: {one.reason}" for one in progress.returns if not one.ok]
    parts = [f"{', '.join(back)} went back"] if back else []
    return "; ".join([*parts, *(["NOT GONE BACK, look at " + "; ".join(lost)] if lost else [])])


def _percent(train: TrainFacts, progress: Progress) -> float:
    stations = sum(len(wave.stations) for wave in train.waves)
    return round(100 * sum(one.ok for one in progress.runs) / stations, 1)


def _known(train: TrainFacts, progress: Progress) -> dict[str, Any]:
    """What whoever is asked can know."""
    wave = train.waves[progress.wave]
    return {
        "wave": f"{progress.wave + 1} of {len(train.waves)}: {wave.name}",
        "departs to": ", ".join(wave.stations),
        "has arrived at": ", ".join(one.station for one in progress.runs) or "none yet",
    }
