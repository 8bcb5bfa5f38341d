"""When nothing may be released: closed days, and the hours of the week that are open. Pure; the caller says the time.

Hours are those of one time zone's wall clock, so that "from nine" stays nine when the clocks change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mlplatform_cdk.runtimekit.errors import KnownError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKDAYS = WEEKDAYS[:5]
_LONGEST_LOOK = timedelta(days=366)
_MINUTE = timedelta(minutes=1)


class CalendarError(KnownError, ValueError):
    """A calendar that says nothing, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days on which nothing is released.

    :param first: the first of them.
    :param last: the last of them, which is frozen too.
    :param reason: what people are told, such as ``end of the year``.
    """

    first: date
    last: date
    reason: str

    def __post_init__(self) -> None:
        """Refuse a freeze that ends before it begins."""
        if self.last < self.first:
            raise CalendarError(f"a freeze must not end before it begins, got {self.first} to {self.last}")
        if not self.reason.strip():
            raise CalendarError(f"the freeze from {self.first} must have a reason, which people are told; got none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Whether something may be released at one moment.

    :param reason: why not; empty: it may.
    :param opens: when it may again, in UTC; None: now, or not within a year.
    """

    reason: str = ""
    opens: datetime | None = None

    @property
    def is_open(self) -> bool:
        """True when it may."""
        return not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeCalendar:
    """The days and hours at which a release may begin. One that has begun goes on.

    :param time_zone: an IANA name, such as ``Europe/Zurich``; default: UTC.
    :param weekdays: the days of the week that are open; default: Monday to Friday.
    :param opens: from when on such a day; default: midnight.
    :param closes: until when, which is closed; midnight: until the day's end; default: midnight.
    :param freezes: closed days, whatever the week says; default: none.
    """

    time_zone: str = "UTC"
    weekdays: Sequence[str] = WORKDAYS
    opens: time = time(0)
    closes: time = time(0)
    freezes: Sequence[Freeze] = ()

    def __post_init__(self) -> None:
        """Refuse a calendar that is never open, or of a zone that nobody knows.

        :raises CalendarError: naming the first rule that is broken.
        """
        unknown = [day for day in self.weekdays if day not in WEEKDAYS]
        if unknown or not self.weekdays:
            raise CalendarError(f"weekdays must be some of {', '.join(WEEKDAYS)}, got {', '.join(unknown) or 'none'}")
        if self.closes != time(0) and self.closes <= self.opens:
            raise CalendarError(f"a day must open before it closes, got {self.opens} to {self.closes}")
        self._zone()

    def at(self, moment: datetime) -> Opening:
        """Whether a release may begin at ``moment``.

        :param moment: with its time zone.
        """
        if moment.tzinfo is None:
            raise CalendarError(f"a moment must have a time zone, got {moment}")
        reason = self._objection(moment)
        return Opening(reason=reason, opens=self._next_opening(moment)) if reason else Opening()

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "time_zone": self.time_zone,
            "weekdays": [*self.weekdays],
            "opens": self.opens.isoformat("minutes"),
            "closes": self.closes.isoformat("minutes"),
            "freezes": [[one.first.isoformat(), one.last.isoformat(), one.reason] for one in self.freezes],
        }

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "FreezeCalendar":
        """What ``to_mapping`` gave."""
        return cls(
            time_zone=value["time_zone"],
            weekdays=tuple(value["weekdays"]),
            opens=time.fromisoformat(value["opens"]),
            closes=time.fromisoformat(value["closes"]),
            freezes=tuple(
                Freeze(date.fromisoformat(first), date.fromisoformat(last), reason)
                for first, last, reason in value["freezes"]
            ),
        )

    def _objection(self, moment: datetime) -> str:
        """Why nothing may begin at ``moment``; empty: something may."""
        local = moment.astimezone(self._zone())
        frozen = self._frozen(local.date())
        if frozen is not None:
            return f"frozen until {frozen.last.isoformat()}: {frozen.reason}"
        if WEEKDAYS[local.weekday()] not in self.weekdays:
            return f"{WEEKDAYS[local.weekday()]} is closed"
        before, after = local.time() < self.opens, self.closes != time(0) and local.time() >= self.closes
        if before or after:
            return f"open from {self._said(self.opens)} to {self._said(self.closes)} ({self.time_zone})"
        return ""

    def _next_opening(self, moment: datetime) -> datetime | None:
        today = moment.astimezone(self._zone()).date()
        for days in range(_LONGEST_LOOK.days + 1):
            for start in self._starts(today + timedelta(days=days)):
                if start > moment and not self._objection(start):
                    return start
        return None

    def _starts(self, day: date) -> list[datetime]:
        """When ``opens`` may be on this day, in UTC: once, but on the days on which the clocks change.

        An hour that comes twice begins twice; one that the clocks leave out begins at the minute at which they go on.
        """
        zone = self._zone()
        both = [datetime.combine(day, self.opens, tzinfo=zone).replace(fold=fold) for fold in (0, 1)]
        first, last = sorted(one.astimezone(UTC) for one in both)
        left_out = first.astimezone(zone).replace(tzinfo=None) != both[0].replace(tzinfo=None)
        if not left_out:
            return [first, last]
        minutes = range(int((last - first) / _MINUTE) + 1)
        return [first + number * _MINUTE for number in minutes]

    def _frozen(self, day: date) -> Freeze | None:
        """The freeze of this day that ends last."""
        these = [one for one in self.freezes if one.first <= day <= one.last]
        return max(these, key=lambda one: one.last, default=None)

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise CalendarError(
                f"time_zone must be an IANA name that this machine knows, such as 'Europe/Zurich', got "
                f"{self.time_zone!r}"
            ) from None

    @staticmethod
    def _said(clock: time) -> str:
        return "24:00" if clock == time(0) else clock.isoformat("minutes")
