"""What does a train do next?"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.release.train.runtime import core
from mlplatform_cdk.release.train.runtime.core import Progress, Run, TrainFacts, WaveFacts, advance
from mlplatform_cdk.runtimekit.freeze_calendar import Freeze, FreezeCalendar

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WAVES = (
    WaveFacts(name="staging", stations=("staging",)),
    WaveFacts(name="europe", stations=("prod-eu",), approval_s=3600),
    WaveFacts(name="rest", stations=("prod-us", "prod-ap")),
)
TRAIN = TrainFacts(name="churn-train", waves=WAVES, roll_back=True, calendar=None)


def arrived(station: str, *, changed: bool = True) -> Run:
    return Run(station=station, ok=True, changed=changed, package_arn=f"arn:{station}/7", release=f"arn:{station}:r")


def failed(station: str, reason: str = "golden requests", *, changed: bool = False) -> Run:
    return Run(station=station, ok=False, changed=changed, package_arn=f"arn:{station}/7", reason=reason)


BEGUN = Progress()
STAGED = BEGUN.after_wave(TRAIN, [arrived("staging")])
IN_EUROPE = STAGED.after_approval().after_wave(TRAIN, [arrived("prod-eu")])


def test_the_first_wave_departs_at_once() -> None:
    found = advance(TRAIN, BEGUN, MONDAY_NOON)

    assert (found.way, found.stations, found.percent) == (core.DEPART, ("staging",), 0.0)


def test_a_wave_with_an_approval_asks_first_and_then_departs() -> None:
    asked = advance(TRAIN, STAGED, MONDAY_NOON)
    departed = advance(TRAIN, STAGED.after_approval(), MONDAY_NOON)

    assert (asked.way, asked.approval_s, asked.percent) == (core.ASK, 3600, 25.0)
    assert asked.facts == {"wave": "2 of 3: europe", "departs to": "prod-eu", "has arrived at": "staging"}
    assert (departed.way, departed.stations) == (core.DEPART, ("prod-eu",))


def test_it_has_arrived_when_all_stations_have() -> None:
    end = IN_EUROPE.after_wave(TRAIN, [arrived("prod-us"), arrived("prod-ap")])

    found = advance(TRAIN, end, MONDAY_NOON)

    assert (found.way, found.sentence, found.percent) == (core.ARRIVED, "all 4 stations have arrived", 100.0)


def test_a_failed_station_sends_those_that_have_arrived_back_the_newest_first() -> None:
    broken = IN_EUROPE.after_wave(TRAIN, [arrived("prod-us"), failed("prod-ap")])

    found = advance(TRAIN, broken, MONDAY_NOON)

    assert found.way == core.RETURN
    assert [one.station for one in found.returning] == ["prod-us", "prod-eu", "staging"]
    assert found.sentence == ("wave rest failed at prod-ap: golden requests; going back: prod-us, prod-eu, staging")


def test_where_the_version_was_live_before_nothing_is_taken_back() -> None:
    broken = BEGUN.after_wave(TRAIN, [arrived("staging", changed=False)]).after_approval()
    broken = broken.after_wave(TRAIN, [failed("prod-eu")])

    found = advance(TRAIN, broken, MONDAY_NOON)

    assert found.way == core.FAILED
    assert found.sentence == (
        "wave europe failed at prod-eu: golden requests; staging keeps the new version, which was live there"
    )


def test_a_station_whose_release_may_have_begun_is_asked_to_go_back_too() -> None:
    broken = STAGED.after_approval().after_wave(TRAIN, [failed("prod-eu", "nobody saw its end", changed=True)])

    found = advance(TRAIN, broken, MONDAY_NOON)

    assert [one.station for one in found.returning] == ["prod-eu", "staging"]


def test_those_that_have_arrived_stay_when_the_train_is_told_so() -> None:
    train = replace(TRAIN, roll_back=False)
    broken = STAGED.after_approval().after_wave(train, [failed("prod-eu")])

    found = advance(train, broken, MONDAY_NOON)

    assert (found.way, found.returning) == (core.FAILED, ())
    assert found.sentence.endswith("staging keeps the new version, as asked")


def test_after_the_way_back_it_says_what_became_of_each() -> None:
    broken = IN_EUROPE.after_wave(TRAIN, [failed("prod-us"), failed("prod-ap")])
    back = broken.after_return([arrived("prod-eu"), failed("staging", "FAILED: throttled", changed=True)])

    found = advance(TRAIN, back, MONDAY_NOON)

    assert found.way == core.FAILED
    assert found.sentence.endswith("prod-eu went back; NOT GONE BACK, look at staging: FAILED: throttled")


def test_a_no_ends_the_journey_like_a_failure() -> None:
    found = advance(TRAIN, STAGED.after_refusal(TRAIN, "Ada: the audit is not done"), MONDAY_NOON)

    assert found.way == core.RETURN
    assert found.sentence == "wave europe was not approved: Ada: the audit is not done; going back: staging"


YEAR_END = Freeze(date(2026, 12, 24), date(2026, 12, 31), "the end of the year")
CALENDAR = FreezeCalendar(
    opens=time(9), closes=time(16), freezes=(Freeze(date(2026, 12, 24), date(2026, 12, 31), "x"),)
)
FROZEN = replace(TRAIN, calendar=CALENDAR)


@pytest.mark.parametrize("progress", [BEGUN, STAGED, STAGED.after_approval(), IN_EUROPE])
def test_no_wave_departs_and_nobody_is_asked_while_the_calendar_is_closed(progress: Progress) -> None:
    evening = MONDAY_NOON.replace(hour=18)

    found = advance(FROZEN, progress, evening)

    assert (found.way, found.wait_s) == (core.WAIT, 15 * 3600)
    assert "waits until 2026-11-24T09:00+00:00: open from 09:00 to 16:00" in found.sentence


def test_a_long_freeze_is_looked_at_once_a_day() -> None:
    assert advance(FROZEN, BEGUN, datetime(2026, 12, 24, 12, tzinfo=UTC)).wait_s == 24 * 3600


def test_the_way_back_knows_no_freeze() -> None:
    broken = STAGED.after_approval().after_wave(FROZEN, [failed("prod-eu")])

    assert advance(FROZEN, broken, MONDAY_NOON.replace(hour=23)).way == core.RETURN


def test_a_calendar_that_never_opens_is_a_failure() -> None:
    closed = FreezeCalendar(freezes=(Freeze(date(2026, 1, 1), date(2030, 1, 1), "sold"),))

    found = advance(replace(TRAIN, calendar=closed), BEGUN, MONDAY_NOON)

    assert found.way == core.FAILED
    assert found.sentence == (
        "wave staging may not depart within a year: frozen until 2030-01-01: sold; nothing was changed anywhere else"
    )


def test_progress_survives_json() -> None:
    broken = IN_EUROPE.after_wave(TRAIN, [failed("prod-us")]).after_return([arrived("staging")])

    assert Progress.from_mapping(broken.to_mapping()) == broken
    assert Progress.from_mapping(BEGUN.to_mapping()) == BEGUN


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_happens_it_ends_and_takes_back_all_that_it_changed_or_nothing(data: st.DataObject) -> None:
    """Every order of answers: each journey ends, asks before it departs, and leaves no half of its changes behind."""
    train = replace(TRAIN, roll_back=data.draw(st.booleans()))
    progress, now, changed = Progress(), MONDAY_NOON, set()
    for _ in range(30):
        found = advance(train, progress, now)
        now += timedelta(hours=1)
        if found.way == core.DEPART:
            wave = train.waves[progress.wave]
            assert not wave.approval_s or progress.approved >= progress.wave
            runs = [
                data.draw(st.sampled_from([arrived(one), arrived(one, changed=False), failed(one)]))
                for one in found.stations
            ]
            changed |= {one.station for one in runs if one.changed}
            progress = progress.after_wave(train, runs)
        elif found.way == core.ASK:
            said_yes = data.draw(st.booleans())
            progress = progress.after_approval() if said_yes else progress.after_refusal(train, "no")
        elif found.way == core.RETURN:
            assert {one.station for one in found.returning} == changed
            assert train.roll_back
            progress = progress.after_return(list(found.returning))
        else:
            assert found.way in (core.ARRIVED, core.FAILED)
            assert (found.way == core.ARRIVED) is not bool(progress.failure)
            if found.way == core.FAILED and train.roll_back and changed:
                assert progress.returns is not None
            return
    pytest.fail("the train goes on for ever")
