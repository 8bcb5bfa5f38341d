"""What holds for every set of regions, every phase of their probes and every history of faults?"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.runtimekit.region_health import Golden, HealthRules, HealthState
from tests.runtimekit.region_health.world import HOUR, MINUTE, SECOND, World, leavings, most_in_an_hour

INTERVAL = HealthRules().interval_ms
NAMES = ("a", "b", "c", "d", "e")
QUICK = INTERVAL // 16  # the longest round, save one that times out, for which the detection of wrong answers holds
FAULT_AT = 3 * MINUTE
ODDS = {Golden.RIGHT: 5, Golden.FAILED: 3, Golden.SLOW: 2, Golden.WRONG: 2, Golden.UNKNOWN: 1}

regions = st.integers(2, 5).map(lambda number: NAMES[:number])
phases = st.lists(st.integers(0, INTERVAL - 1), min_size=5, max_size=5)
errors = st.lists(st.integers(-3 * HOUR, 3 * HOUR), min_size=5, max_size=5)
seeds = st.integers(0, 2**32)


def world_of(names: tuple[str, ...], moments: list[int], **parts: object) -> World:
    return World(regions=names, first_round_ms=dict(zip(NAMES, moments, strict=True)), **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", [Golden.FAILED, Golden.SLOW, Golden.WRONG])
@settings(max_examples=30, deadline=None)
@given(names=regions, moments=phases, skew=errors, took=st.integers(1, QUICK), late=st.integers(0, INTERVAL))
def test_a_fault_of_one_region_is_found_within_three_intervals_wherever_its_clock_is(
    fault: Golden, names: tuple[str, ...], moments: list[int], skew: list[int], took: int, late: int
) -> None:
    off, begins = dict(zip(NAMES, skew, strict=True)), FAULT_AT + late
    world = world_of(
        names,
        moments,
        truth=lambda region, at: (fault if region == "a" and at >= begins else Golden.RIGHT, "v1"),
        takes_ms=lambda _region, _at: took,
        clock_error_ms=lambda region, _at: off[region],
    )

    changes = world.run(FAULT_AT + 20 * MINUTE)

    assert [(one.region, one.status) for one in changes] == [("a", "out-of-service")]
    assert changes[0].at_ms - begins <= 3 * INTERVAL


@settings(max_examples=20, deadline=None)
@given(names=regions, moments=phases, late=st.integers(0, INTERVAL))
def test_a_region_that_answers_nothing_is_found_within_three_intervals_although_each_round_times_out(
    names: tuple[str, ...], moments: list[int], late: int
) -> None:
    begins = FAULT_AT + late
    world = world_of(
        names,
        moments,
        truth=lambda region, at: (Golden.FAILED if region == "a" and at >= begins else Golden.RIGHT, "v1"),
        takes_ms=lambda region, at: INTERVAL // 2 if region == "a" and at >= begins else 100,
    )

    changes = world.run(FAULT_AT + 10 * MINUTE)

    assert [(one.region, one.status) for one in changes] == [("a", "out-of-service")]
    assert changes[0].at_ms - begins <= 3 * INTERVAL


@settings(max_examples=30, deadline=None)
@given(names=regions, moments=phases, took=st.integers(1, QUICK), late=st.integers(0, INTERVAL), new=st.booleans())
def test_a_version_that_is_wrong_everywhere_takes_no_region_out_and_is_named_by_all_within_three_intervals(
    names: tuple[str, ...], moments: list[int], took: int, late: int, *, new: bool
) -> None:
    begins, bad = FAULT_AT + late, "v2" if new else "v1"
    world = world_of(
        names,
        moments,
        truth=lambda _region, at: (Golden.WRONG, bad) if at >= begins else (Golden.RIGHT, "v1"),
        takes_ms=lambda _region, _at: took,
    )

    changes = world.run(FAULT_AT + 20 * MINUTE)

    assert changes == []
    for name in names:
        named = [at for at, region, verdict in world.log if region == name and verdict.bad_version == bad]
        assert named[0] - begins <= 3 * INTERVAL


@settings(max_examples=20, deadline=None)
@given(names=regions, moments=phases, pause=st.integers(1, 10 * MINUTE))
def test_a_bad_version_that_goes_from_region_to_region_moves_the_traffic_ahead_of_it_once_and_never_in_circles(
    names: tuple[str, ...], moments: list[int], pause: int
) -> None:
    arrives = {name: FAULT_AT + place * pause for place, name in enumerate(names)}
    world = world_of(
        names,
        moments,
        truth=lambda region, at: (Golden.WRONG, "v2") if at >= arrives[region] else (Golden.RIGHT, "v1"),
    )

    changes = world.run(FAULT_AT + 5 * pause + 2 * HOUR)

    assert all(len(leavings(changes, name)) <= 1 for name in names)
    assert all(verdict.status == "in-service" for _, verdict in world.published.values())


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds)
def test_no_history_of_rounds_takes_a_region_out_more_than_three_times_in_an_hour_while_another_is_well(
    names: tuple[str, ...], moments: list[int], seed: int
) -> None:
    random = Random(seed)
    stays = random.choice([1, 2, 4, 8, 30])
    history = histories(random, stays)
    world = world_of(
        names, moments, truth=lambda region, at: history(region, at) if region == "a" else (Golden.RIGHT, "v1")
    )

    changes = world.run(2 * HOUR)

    assert most_in_an_hour(leavings(changes, "a")) <= 3
    assert all(leavings(changes, name) == [] for name in names[1:])


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds)
def test_no_histories_of_all_regions_take_any_of_them_out_more_than_three_times_in_an_hour(
    names: tuple[str, ...], moments: list[int], seed: int
) -> None:
    random = Random(seed)
    world = world_of(names, moments, truth=histories(random, random.choice([1, 2, 4, 8, 30])))

    changes = world.run(2 * HOUR)

    assert all(most_in_an_hour(leavings(changes, name)) <= 3 for name in names)


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds)
def test_when_the_world_stays_as_it_is_so_do_the_regions_and_those_that_answer_rightly_serve(
    names: tuple[str, ...], moments: list[int], seed: int
) -> None:
    random = Random(seed)
    before = histories(random, 5)
    after = {name: random.choice(list(Golden)) for name in names}
    world = world_of(
        names, moments, truth=lambda region, at: before(region, at) if at < HOUR else (after[region], "v1")
    )

    changes = world.run(3 * HOUR)

    # A penalty is below 2,500, which holds for 53 minutes at most.
    assert [one for one in changes if one.at_ms > HOUR + 65 * MINUTE + MINUTE] == []
    serving = {name for name, (_, verdict) in world.published.items() if verdict.status == "in-service"}
    assert {name for name in names if after[name] is Golden.RIGHT} <= serving
    assert serving


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds, skew=errors)
def test_clocks_that_are_wrong_by_hours_decide_nothing(
    names: tuple[str, ...], moments: list[int], seed: int, skew: list[int]
) -> None:
    off = dict(zip(NAMES, skew, strict=True))
    right = world_of(names, moments, truth=histories(Random(seed), 5))
    wrong = world_of(names, moments, truth=histories(Random(seed), 5), clock_error_ms=lambda region, _at: off[region])

    assert wrong.run(HOUR) == right.run(HOUR)


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds)
def test_clocks_that_jump_back_and_forth_hide_no_fault(names: tuple[str, ...], moments: list[int], seed: int) -> None:
    random = Random(seed)
    world = world_of(
        names,
        moments,
        truth=lambda region, at: (Golden.FAILED if region == "a" and at >= FAULT_AT else Golden.RIGHT, "v1"),
        clock_error_ms=lambda _region, _at: random.randrange(-HOUR, HOUR),
    )

    changes = world.run(10 * MINUTE)

    assert [(one.region, one.status) for one in changes] == [("a", "out-of-service")]
    assert changes[0].at_ms - FAULT_AT <= 3 * INTERVAL


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases, seed=seeds)
def test_any_memory_goes_through_json_and_decides_as_before(
    names: tuple[str, ...], moments: list[int], seed: int
) -> None:
    world = world_of(names, moments, truth=histories(Random(seed), 3))

    world.run(10 * MINUTE)

    for state in world.states.values():
        assert HealthState.from_mapping(state.to_mapping()) == state


@settings(max_examples=12, deadline=None)
@given(names=regions, moments=phases)
def test_new_regions_come_into_service_together_and_a_new_one_beside_others_after_five_good_rounds(
    names: tuple[str, ...], moments: list[int]
) -> None:
    new = HealthState()
    together = world_of(
        names, moments, truth=lambda _region, _at: (Golden.RIGHT, "v1"), states=dict.fromkeys(names, new)
    )
    beside = world_of(names, moments, truth=lambda _region, _at: (Golden.RIGHT, "v1"), states={"a": new})

    together.run(2 * MINUTE)
    beside.run(2 * MINUTE)

    assert {verdict.status for _, verdict in together.published.values()} == {"in-service"}
    first = next(verdict for _, region, verdict in beside.log if region == "a" and verdict.status == "in-service")
    assert first.round == 5


def histories(random: Random, stays: int) -> object:
    """Each region's rounds at random, each kind lasting for some of them."""
    length = stays * 10 * SECOND
    seed = random.random()

    def truth(region: str, at: int) -> tuple[Golden, str]:
        drawn = Random(f"{seed}{region}{at // length}")
        return drawn.choices(list(ODDS), list(ODDS.values()))[0], drawn.choice(["v1", "v2"])

    return truth
