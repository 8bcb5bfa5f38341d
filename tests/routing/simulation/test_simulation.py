"""Does the rule of the regions hold in a world where everything fails, and is it better than simple ones, and none?

Small worlds; the million minutes are ``make benchmark-regions``, its figures in docs/region-health.md.
"""

from itertools import islice

import pytest

from benchmarks.regions import world as worlds
from benchmarks.regions.faults import LOCAL, SHARED, Fault, faults
from benchmarks.regions.policies import Damped, Threshold
from benchmarks.regions.study import MOST_LEAVINGS, Line, most_within_an_hour, study
from benchmarks.regions.world import MOST_INTERVALS, World
from mlplatform_cdk.runtimekit.region_health import Golden, Observation

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture(scope="module")
def lines() -> dict[str, Line]:
    return {one.policy: one for one in study(worlds=3, minutes=10_000, regions=3, workers=1)}


def test_no_region_leaves_more_than_three_times_in_an_hour_under_the_damped_rule(lines: dict[str, Line]) -> None:
    assert lines["damped"].most_leavings <= MOST_LEAVINGS
    assert lines["damped"].oscillating == 0


def test_simple_rules_oscillate_in_the_same_worlds_which_shows_that_there_is_something_to_damp(
    lines: dict[str, Line],
) -> None:
    assert lines["one bad round"].oscillating > 100
    assert lines["three bad rounds"].oscillating > 100


def test_an_outage_is_detected_within_three_intervals(lines: dict[str, Line]) -> None:
    assert lines["damped"].outages > 0
    assert 0 < lines["damped"].detected <= MOST_INTERVALS


def test_more_requests_are_answered_rightly_than_in_one_region_and_under_simple_rules(lines: dict[str, Line]) -> None:
    for other in ("single region", "one bad round", "three bad rounds"):
        assert lines["damped"].availability > lines[other].availability


def test_a_world_is_the_same_for_its_seed_and_every_policy_meets_the_same_faults() -> None:
    first, again = (World(3, 3, Damped).run(5 * DAY) for _ in range(2))

    assert first == again
    assert [*islice(faults(3, 3), 200)] == [*islice(faults(3, 3), 200)]
    assert [*islice(faults(3, 3), 200)] != [*islice(faults(4, 3), 200)]


def test_every_kind_of_fault_strikes() -> None:
    drawn = [*islice(faults(1, 3), 2000)]

    assert {one.kind for one in drawn} == {*LOCAL, *SHARED}
    assert {one.region for one in drawn} == {0, 1, 2}
    assert all(one.begins < one.ends for one in drawn)


def test_leaping_over_quiet_stretches_changes_nothing_that_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "faults", lambda _seed, _regions: iter(outages()))
    leapt = World(1, 2, Damped).run(6 * HOUR)
    monkeypatch.setattr(World, "_leap", lambda _self: False)
    walked = World(1, 2, Damped).run(6 * HOUR)

    assert {region: len(moments) for region, moments in leapt.leavings.items()} == {0: 2, 1: 0}
    assert {region: len(moments) for region, moments in walked.leavings.items()} == {0: 2, 1: 0}
    assert leapt.lost == pytest.approx(walked.lost, abs=60)


def test_a_region_at_rest_is_changed_by_a_good_round_in_its_number_and_time_alone() -> None:
    one, other = Damped("a"), Damped("b")
    before = one.state

    one.fold(Observation(60_000, Golden.RIGHT, ""), (other.peer,), 1)

    assert one.is_at_rest
    assert one.state == before._replace(round=2, at_ms=60_000, good_in_a_row=6)


def test_without_faults_and_failing_over_nothing_is_lost_but_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    far = [Fault("outage", 0, 1e12, 2e12)]
    monkeypatch.setattr(worlds, "faults", lambda _seed, _regions: iter(far))

    outcome = World(1, 3, Damped).run(10 * DAY)

    assert outcome.availability == pytest.approx(1.0)
    assert outcome.moves == 0


def test_an_outage_costs_the_time_to_detect_it_the_checks_and_the_time_to_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "faults", lambda _seed, _regions: iter(outages()[:1] + outages()[-1:]))

    outcome = World(1, 2, Damped).run(4 * HOUR)

    # Half of the callers, from the fault until names and caches have changed; an hour of them would be 1,800.
    assert 0.5 * 20 < outcome.lost < 0.5 * 120
    assert outcome.detected == [pytest.approx(20, abs=10)]


@pytest.mark.parametrize(
    ("other", "waits"),
    [
        pytest.param(Fault("wrong", 0, HOUR + 1.2, HOUR + 396, wrong=True), [], id="no longer well before it is found"),
        pytest.param(Fault("wrong", 0, HOUR + 60, HOUR + 396, wrong=True), [20], id="well until it is found"),
        pytest.param(Fault("probe dead", 1, HOUR - 60, HOUR + 60), [], id="not well before"),
    ],
)
def test_an_outage_is_waited_for_while_all_else_is_well(
    monkeypatch: pytest.MonkeyPatch, other: Fault, waits: list[float]
) -> None:
    # The first is a minute of world 118: the other region became as bad, so that there was nowhere to go.
    struck = [Fault("outage", 1, HOUR, HOUR + 466, 1.0, 1.0), other, outages()[-1]]
    monkeypatch.setattr(worlds, "faults", lambda _seed, _regions: iter(sorted(struck, key=lambda one: one.begins)))

    outcome = World(1, 2, Damped).run(2 * HOUR)

    assert outcome.detected == [pytest.approx(one, abs=10) for one in waits]


@pytest.mark.parametrize(
    ("ends", "next_at", "waited"),
    [
        pytest.param(HOUR + 466, 1e12, 466, id="it ends"),
        pytest.param(HOUR + 466, HOUR + 40, 40, id="another fault begins too late to be an excuse"),
        pytest.param(1e11, 1e12, HOUR, id="the world ends"),
    ],
)
def test_an_outage_that_is_never_found_counts_with_the_time_for_which_it_was_waited_for(
    monkeypatch: pytest.MonkeyPatch, ends: float, next_at: float, waited: float
) -> None:
    struck = [Fault("outage", 1, HOUR, ends, 1.0, 1.0), Fault("slow", 0, next_at, 2e12, slow=True), outages()[-1]]
    monkeypatch.setattr(worlds, "faults", lambda _seed, _regions: iter(struck))

    outcome = World(1, 2, lambda name: Threshold(name, 10**9, 1)).run(2 * HOUR)

    assert outcome.detected == [pytest.approx(waited)]


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([], (0, 0)),
        ([0.0, 10.0, 20.0], (3, 0)),
        ([0.0, 10.0, 20.0, 3600.0], (4, 1)),
        ([0.0, 10.0, 20.0, 3601.0], (3, 0)),
    ],
)
def test_leavings_are_counted_in_every_hour(moments: list[float], expected: tuple[int, int]) -> None:
    assert most_within_an_hour(moments) == expected


def test_the_simple_rules_count_rounds() -> None:
    rule = Threshold("a", 3, 2)
    seen = []
    for golden in (Golden.FAILED, Golden.FAILED, Golden.RIGHT, *[Golden.FAILED] * 3, Golden.RIGHT, Golden.RIGHT):
        rule.fold(Observation(0, golden, ""), (), 1)
        seen.append(rule.in_service)

    assert seen == [True] * 5 + [False, False, True]


def outages() -> list[Fault]:
    return [
        Fault("outage", 0, HOUR, 2 * HOUR, 1.0, 1.0),
        Fault("outage", 0, 3 * HOUR, 4 * HOUR, 1.0, 1.0),
        Fault("outage", 0, 1e12, 2e12, 1.0, 1.0),
    ]
