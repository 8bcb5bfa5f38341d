"""What does one region decide, from its own rounds and from what the others publish?"""

import json
from collections.abc import Sequence

import pytest

from mlplatform_cdk.runtimekit.region_health import (
    NEW_REGION,
    STALE,
    Evidence,
    Golden,
    HealthState,
    Observation,
    Peer,
    RegionHealth,
    Verdict,
)
from tests.runtimekit.region_health.world import HOUR, MINUTE, RESTED

CORE = RegionHealth()
B = Peer("b", in_service=True, golden=Golden.RIGHT, version="v1", well=True, steady=True, round=7)
R, F, W, S, U = Golden.RIGHT, Golden.FAILED, Golden.WRONG, Golden.SLOW, Golden.UNKNOWN


def rounds(
    goldens: Sequence[Golden],
    *peers: Peer,
    state: HealthState = RESTED,
    every_ms: int = 10_000,
    others: int | None = None,
    drained: bool = False,
) -> list[Verdict]:
    """The verdicts of rounds in a row, while the peers go on as they are."""
    made = []
    for place, golden in enumerate(goldens):
        seen = tuple(peer._replace(round=peer.round + place) for peer in peers)
        own = Observation(state.at_ms + every_ms, golden, "v1", "as told", drained)
        state, verdict = CORE.fold(state, Evidence(own, seen, len(peers) if others is None else others))
        made.append(verdict)
    return made


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [one.status for one in verdicts]


@pytest.mark.parametrize(
    ("goldens", "out"),
    [
        pytest.param([F, F], False, id="two failures are weather"),
        pytest.param([F, F, F], True, id="three in a row are a fault"),
        pytest.param([F, R, F, R, F, R], False, id="a half that fails is not yet one after three"),
        pytest.param([F, R, F, R, F, R, F], True, id="a half that fails is one after four"),
        pytest.param([F, *[R] * 8] * 20, False, id="one of nine is forgiven for ever"),
        pytest.param([F, *[R] * 7] * 20, True, id="one of eight is not"),
        pytest.param([W, W, W], True, id="wrong answers are a fault"),
        pytest.param([S, S, S], True, id="slow answers are a fault"),
        pytest.param([F, W, S], True, id="and so is one after the other"),
        pytest.param([U] * 20, False, id="what could not be seen is none"),
    ],
)
def test_a_region_leaves_for_another_that_is_well_after_a_fault(goldens: list[Golden], *, out: bool) -> None:
    assert ("out-of-service" in statuses(rounds(goldens, B))) is out


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(B._replace(in_service=False), id="out itself"),
        pytest.param(B._replace(well=False, steady=False), id="in service only because it is needed"),
        pytest.param(B._replace(golden=F), id="just now without an answer"),
        pytest.param(B._replace(golden=S), id="slow"),
    ],
)
def test_a_region_stays_where_no_other_would_do_better(peer: Peer) -> None:
    assert set(statuses(rounds([F] * 20, peer))) == {"in-service"}


def test_a_region_stays_where_the_others_cannot_be_read_or_there_are_none() -> None:
    assert set(statuses(rounds([F] * 20))) == {"in-service"}
    assert set(statuses(rounds([W] * 20, others=2))) == {"in-service"}


def test_a_probe_that_reaches_nobody_doubts_itself_and_not_its_region() -> None:
    lost = rounds([F] * 20, others=1)

    assert [one.well for one in lost] == [True] * 20
    assert "not counted" in lost[-1].reason


def test_slowness_takes_nobody_out_while_another_region_is_away_since_its_load_may_be_the_reason() -> None:
    away = Peer("c", in_service=False, golden=F, version="v1", well=False, steady=False, round=3)

    assert all(one.well for one in rounds([S] * 20, B, away))
    assert all(one.well for one in rounds([S] * 20, B, others=2))
    assert "out-of-service" in statuses(rounds([F] * 3, B, away))


def test_wrong_answers_move_traffic_only_to_who_has_answered_rightly_in_a_whole_round_since() -> None:
    state, made = RESTED, []
    for place, number in enumerate((7, 7, 8, 8, 9)):
        own = Observation(state.at_ms + 5_000, W, "v1")
        state, verdict = CORE.fold(state, Evidence(own, (B._replace(round=number),), 1))
        made.append((place, verdict.status))

    assert made[3:] == [(3, "in-service"), (4, "out-of-service")]


def test_a_version_is_bad_where_all_that_serve_it_answer_wrongly_and_not_where_one_region_alone_does() -> None:
    alike = B._replace(golden=W)
    other = B._replace(version="v0")

    assert rounds([W] * 3, alike)[-1].bad_version == "v1"
    assert rounds([W] * 3, other)[-1].bad_version == "v1"
    assert {one.bad_version for one in rounds([W] * 9, B)} == {""}
    assert {one.bad_version for one in rounds([F] * 9, B._replace(golden=F))} == {""}
    assert rounds([W] * 2, alike)[-1].bad_version == ""


def test_a_region_returns_after_five_good_rounds_in_a_row() -> None:
    made = statuses(rounds([F, F, F, R, R, R, R, F, R, R, R, R, R], B))

    assert made == ["in-service"] * 2 + ["out-of-service"] * 10 + ["in-service"]


def test_a_region_that_left_twice_within_half_an_hour_is_held_out_until_its_penalty_has_halved_twice_nearly() -> None:
    made = rounds([F, F, F, *[R] * 5] * 2 + [R] * 300, B)

    held = [one for one in made[11:] if one.status == "out-of-service"]
    # 2,000 at the second leaving (a little less, after 80 s) becomes 750 in 30 min * log2(2,000 / 750) = 42.5 min.
    assert 41 * MINUTE <= held[-1].since_ms + len(held) * 10_000 - held[0].since_ms <= 43 * MINUTE
    assert held[-1].reason == "held out: it left too often"
    assert not held[-1].steady
    assert made[-1].status == "in-service"


def test_a_held_region_returns_at_once_when_it_is_needed() -> None:
    held = RESTED._replace(in_service=False, held=True, penalty=2900.0)
    needed = B._replace(golden=F, well=False, steady=False)

    assert statuses(rounds([R, R, R], needed, state=held)) == ["out-of-service"] * 2 + ["in-service"]
    assert statuses(rounds([R] * 3, B, state=held)) == ["out-of-service"] * 3


def test_a_region_that_answers_nothing_does_not_return_because_it_cannot_read_the_others() -> None:
    out = RESTED._replace(in_service=False, well=False, bad=3.0)

    assert set(statuses(rounds([F] * 9, state=out, others=1))) == {"out-of-service"}
    assert statuses(rounds([R] * 3, state=out, others=1))[-1] == "in-service"
    assert statuses(rounds([F] * 3, B._replace(golden=F, well=False, steady=False), state=out))[-1] == "in-service"


def test_a_drained_region_says_so_at_once_even_as_the_last_and_comes_back_at_once_when_it_is_well() -> None:
    drained = rounds([R, R], drained=True)
    back = rounds([R], B, state=RESTED._replace(drained=True, in_service=False))

    assert statuses(drained) == ["drained"] * 2
    assert drained[0].reason == "drained by hand"
    assert statuses(back) == ["in-service"]


def test_a_drain_costs_no_penalty() -> None:
    state, _ = CORE.fold(RESTED, Evidence(Observation(1, R, "v1", drained=True), (B,), 1))

    assert state.penalty == 0


def test_a_clock_that_goes_back_makes_no_penalty_grow() -> None:
    state = RESTED._replace(penalty=1000.0, at_ms=HOUR)

    after, _ = CORE.fold(state, Evidence(Observation(0, R, "v1"), (B,), 1))

    assert after.penalty == 1000.0


def test_a_good_round_at_rest_changes_nothing_but_its_number_and_its_time() -> None:
    after, verdict = CORE.fold(RESTED, Evidence(Observation(5, R, "v1"), (B,), 1))

    assert after == RESTED._replace(round=101, good_in_a_row=101, at_ms=5)
    assert verdict.next_look_ms == CORE.rules.interval_ms


def test_a_new_region_waits_for_five_good_rounds_beside_others_and_for_three_alone() -> None:
    assert statuses(rounds([R] * 5, B, state=NEW_REGION)) == ["out-of-service"] * 4 + ["in-service"]
    assert statuses(rounds([R] * 3, state=NEW_REGION)) == ["out-of-service"] * 2 + ["in-service"]


def test_a_verdict_counts_for_three_intervals() -> None:
    verdict = rounds([R], B, state=RESTED._replace(at_ms=MINUTE), every_ms=0)[0]

    assert verdict.valid_until_ms == MINUTE + 30_000


def test_a_doubt_is_looked_at_sooner_by_all() -> None:
    assert rounds([F], B)[0].next_look_ms == 5_000
    assert rounds([R], B._replace(golden=F))[0].next_look_ms == 2_500
    assert rounds([R], B._replace(golden=F, well=False))[0].next_look_ms == 10_000
    assert rounds([F] * 3, B)[-1].next_look_ms == 10_000


def test_only_a_region_in_service_has_the_letters_that_route_53_looks_for() -> None:
    others = [rounds([F] * 3, B)[-1], rounds([R], B, drained=True)[-1]]

    assert "in-service" in json.dumps(rounds([R], B)[0].body())
    assert [one for one in others if "in-service" in json.dumps(one.body())] == []
    assert "in-service" not in STALE


def test_what_a_region_publishes_is_what_the_others_read() -> None:
    verdict = rounds([W], B)[0]

    assert Peer.from_body("a", json.loads(json.dumps(verdict.body()))) == Peer(
        "a", in_service=True, golden=W, version="v1", well=True, steady=True, round=101
    )
    with pytest.raises(ValueError, match="must be a verdict's body"):
        Peer.from_body("a", {"status": "stale"})


OTHER = B._replace(version="v2")
AWAY = OTHER._replace(in_service=False)


APART = RESTED._replace(differs_ms=50_000, served=(("", "v1"), ("b", "v2")))


def test_it_is_counted_for_how_long_regions_in_service_serve_different_versions() -> None:
    assert [one.differs_ms for one in rounds([R, U, F], OTHER)] == [0, 10_000, 20_000]
    assert rounds([R, R], B)[-1].differs_ms == 0


def test_the_count_begins_anew_with_each_region_that_a_train_reaches() -> None:
    later = Peer("c", in_service=True, golden=R, version="v2", well=True, steady=True, round=7)

    assert rounds([R], OTHER, state=APART)[-1].differs_ms == 60_000
    assert rounds([R], OTHER._replace(version="v3"), state=APART)[-1].differs_ms == 0
    assert rounds([R], OTHER, later, state=APART)[-1].differs_ms == 0


def test_a_region_that_is_away_differs_from_nobody_and_nobody_from_it() -> None:
    assert rounds([R, R], AWAY)[-1].differs_ms == 0
    assert rounds([R, R], OTHER, state=APART, drained=True)[-1].differs_ms == 0


def test_the_count_ends_when_all_regions_are_read_and_alike_and_not_before() -> None:
    assert rounds([R], state=APART, others=1)[-1].differs_ms == 50_000  # the other could not be read
    assert rounds([R], B, state=APART)[-1].differs_ms == 0


def test_no_clock_that_jumps_makes_the_count_long() -> None:
    assert rounds([R], OTHER, state=APART, every_ms=HOUR)[-1].differs_ms == 50_000 + CORE.rules.valid_for_ms
    assert rounds([R], OTHER, state=APART, every_ms=-HOUR)[-1].differs_ms == 50_000


def test_a_memory_of_versions_goes_through_json() -> None:
    assert HealthState.from_mapping(json.loads(json.dumps(APART.to_mapping()))) == APART


def test_an_older_memory_is_read_with_what_a_new_region_has() -> None:
    assert HealthState.from_mapping({"round": 3, "well": True, "unheard": 1}) == HealthState(round=3, well=True)


def test_a_held_region_that_is_needed_stays_however_it_fares_until_its_penalty_is_low() -> None:
    needed = RESTED._replace(held=True, penalty=1400.0)

    made = rounds([F] * 90, B, state=needed)

    out = next(place for place, one in enumerate(made) if one.status == "out-of-service")
    # 1,400 is 1,000 after 30 min * log2(1.4) = 14.6 min.
    assert 86 <= out <= 88


def test_a_held_region_that_answers_nothing_returns_only_where_none_is_in_service() -> None:
    held = RESTED._replace(in_service=False, held=True, penalty=2000.0, well=False, bad=3.0)
    failing = B._replace(golden=F, well=False, steady=False)

    assert set(statuses(rounds([F] * 9, failing, state=held))) == {"out-of-service"}
    assert statuses(rounds([F] * 3, failing._replace(in_service=False), state=held))[-1] == "in-service"
