"""When may a release begin?"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.runtimekit.freeze_calendar import WEEKDAYS, CalendarError, Freeze, FreezeCalendar

OFFICE = FreezeCalendar(
    time_zone="Europe/Zurich",
    weekdays=("monday", "tuesday", "wednesday", "thursday"),
    opens=time(9),
    closes=time(16),
    freezes=(Freeze(date(2026, 12, 21), date(2027, 1, 3), "end of the year"),),
)


def zurich(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo("Europe/Zurich"))  # type: ignore[arg-type] # year to minute


@pytest.mark.parametrize(
    ("moment", "reason", "opens"),
    [
        pytest.param(zurich(2026, 11, 23, 9, 0), "", None, id="a monday at nine"),
        pytest.param(zurich(2026, 11, 23, 15, 59), "", None, id="the last minute"),
        pytest.param(
            zurich(2026, 11, 23, 16, 0),
            "open from 09:00 to 16:00 (Europe/Zurich)",
            zurich(2026, 11, 24, 9),
            id="four",
        ),
        pytest.param(
            zurich(2026, 11, 23, 8, 59),
            "open from 09:00 to 16:00 (Europe/Zurich)",
            zurich(2026, 11, 23, 9),
            id="before nine",
        ),
        pytest.param(zurich(2026, 11, 27, 10), "friday is closed", zurich(2026, 11, 30, 9), id="a friday"),
        pytest.param(
            zurich(2026, 12, 24, 10),
            "frozen until 2027-01-03: end of the year",
            zurich(2027, 1, 4, 9),
            id="the end of the year",
        ),
        pytest.param(zurich(2026, 12, 17, 18), "open from 09:00", zurich(2027, 1, 4, 9), id="the evening before it"),
        pytest.param(datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "", None, id="nine in Zurich is eight in UTC"),
    ],
)
def test_it_is_open_at_office_hours_and_says_when_again(moment: datetime, reason: str, opens: datetime | None) -> None:
    found = OFFICE.at(moment)

    assert found.reason.startswith(reason)
    assert found.is_open is (reason == "")
    assert found.opens == opens


def test_nine_stays_nine_when_the_clocks_change() -> None:
    sunday = FreezeCalendar(time_zone="Europe/Zurich", opens=time(9), closes=time(16))

    winter, summer = sunday.at(zurich(2026, 3, 27, 20)), sunday.at(zurich(2026, 3, 29, 20))

    assert winter.opens == summer.opens == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)


def test_an_hour_that_the_clocks_leave_out_opens_when_they_have_gone_on() -> None:
    calendar = FreezeCalendar(time_zone="Europe/Zurich", weekdays=WEEKDAYS, opens=time(2, 30), closes=time(8))

    opening = calendar.at(zurich(2026, 3, 29, 0, 30))

    assert opening.opens == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # from 02:00 to 03:00
    assert calendar.at(opening.opens).is_open


def test_an_hour_that_comes_twice_opens_twice() -> None:
    calendar = FreezeCalendar(time_zone="Europe/Zurich", weekdays=WEEKDAYS, opens=time(2, 30), closes=time(8))

    second_02_15 = calendar.at(datetime(2026, 10, 25, 1, 15, tzinfo=UTC))

    assert second_02_15.opens == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [
            ("Europe/Zurich", datetime(2026, 3, 28, 20, tzinfo=UTC)),
            ("Europe/Zurich", datetime(2026, 10, 24, 20, tzinfo=UTC)),
            ("Australia/Lord_Howe", datetime(2026, 4, 4, 8, tzinfo=UTC)),
            ("Australia/Lord_Howe", datetime(2026, 10, 3, 8, tzinfo=UTC)),
            ("Africa/Cairo", datetime(2026, 4, 23, 18, tzinfo=UTC)),
        ]
    ),
    st.integers(0, 12 * 60),
    st.times(max_value=time(4)),
)
def test_when_the_clocks_change_it_opens_at_the_first_minute_at_which_it_is_open(
    change: tuple[str, datetime], minutes: int, opens: time
) -> None:
    zone, before = change
    calendar = FreezeCalendar(time_zone=zone, weekdays=WEEKDAYS, opens=opens.replace(second=0, microsecond=0))
    moment = before + timedelta(minutes=minutes)

    opening = calendar.at(moment)

    if not opening.is_open:
        first = next(
            later
            for later in (moment + timedelta(minutes=number) for number in range(1, 3000))
            if calendar.at(later).is_open
        )
        assert opening.opens == first


def test_by_default_the_weekend_is_closed_and_nothing_else() -> None:
    assert FreezeCalendar().at(datetime(2026, 11, 27, 23, 59, tzinfo=UTC)).is_open
    closed = FreezeCalendar().at(datetime(2026, 11, 28, tzinfo=UTC))
    assert (closed.reason, closed.opens) == ("saturday is closed", datetime(2026, 11, 30, tzinfo=UTC))


def test_of_two_freezes_the_one_that_ends_last_is_told() -> None:
    freezes = (Freeze(date(2026, 6, 1), date(2026, 6, 5), "audit"), Freeze(date(2026, 6, 2), date(2026, 6, 9), "fair"))

    found = FreezeCalendar(freezes=freezes).at(datetime(2026, 6, 3, tzinfo=UTC))

    assert found.reason == "frozen until 2026-06-09: fair"


def test_a_calendar_that_does_not_open_within_a_year_says_so() -> None:
    forever = FreezeCalendar(freezes=(Freeze(date(2026, 1, 1), date(2030, 1, 1), "sold"),))

    assert forever.at(datetime(2026, 6, 3, tzinfo=UTC)).opens is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: FreezeCalendar(time_zone="Europe/Nowhere"), r"time_zone must be an IANA name .* 'Europe/Nowhere'"),
        (lambda: FreezeCalendar(weekdays=("mon",)), r"weekdays must be some of monday, .* got mon"),
        (lambda: FreezeCalendar(weekdays=()), r"weekdays must be some of .*got none"),
        (lambda: FreezeCalendar(opens=time(16), closes=time(9)), r"a day must open before it closes"),
        (lambda: Freeze(date(2026, 1, 2), date(2026, 1, 1), "x"), r"must not end before it begins"),
        (lambda: Freeze(date(2026, 1, 1), date(2026, 1, 1), " "), r"must have a reason"),
        (lambda: FreezeCalendar().at(datetime(2026, 1, 1)), r"a moment must have a time zone"),  # noqa: DTZ001
    ],
)
def test_a_calendar_that_means_nothing_is_refused(make: Any, sentence: str) -> None:
    with pytest.raises(CalendarError, match=sentence):
        make()


def test_it_survives_json() -> None:
    assert FreezeCalendar.from_mapping(OFFICE.to_mapping()) == OFFICE


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe"]),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.times(),
)
def test_when_it_says_that_it_opens_it_is_open_and_not_before(
    moment: datetime, zone: str, weekdays: list[str], opens: time
) -> None:
    calendar = FreezeCalendar(time_zone=zone, weekdays=tuple(weekdays), opens=opens.replace(second=0, microsecond=0))

    opening = calendar.at(moment)

    if not opening.is_open:
        assert opening.opens is not None
        assert opening.opens > moment
        assert calendar.at(opening.opens).is_open
        assert not calendar.at(max(moment, opening.opens - timedelta(seconds=1))).is_open
