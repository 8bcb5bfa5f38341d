"""What becomes of a test at a look?"""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from scipy import integrate, stats

from mlplatform_cdk.release.ab_test.runtime import bandit, strata
from mlplatform_cdk.release.ab_test.runtime.balance import Given, mismatch_p_value
from mlplatform_cdk.release.ab_test.runtime.decision import decide
from mlplatform_cdk.release.ab_test.runtime.samples import Sample, sample_of
from mlplatform_cdk.runtimekit.ab_test import tallies as tallies_
from mlplatform_cdk.runtimekit.ab_test.plan import MEAN, THOMPSON, Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.tallies import Sums, Tally
from tests.release.ab_test.streams import CONVERTED, FAILED, PLAN, arms, guarded, hits, look

BANDIT = replace(PLAN, traffic=THOMPSON)


def times_of(looks: list[list[int]], shares: list[list[float]]) -> list[Given]:
    """Looks under these shares."""
    return [Given(counts=one, shares=these) for one, these in zip(looks, shares, strict=True)]


def mismatch(counts: list[int], shares: list[float]) -> float:
    """Of one time."""
    return mismatch_p_value(times_of([counts], [shares]))


def test_a_challenger_that_is_proven_better_gets_all_requests() -> None:
    made = decide(look(hits(5000, 500), hits(5000, 650)))

    assert (made.outcome, made.winner) == ("won", "b")
    assert [arm.share for arm in made.arms] == [0.0, 1.0]
    assert "converted is 0.13 of 5000 samples, the control's 0.1 of 5000: +0.03 (from +" in made.reason


def test_of_two_proven_better_the_one_that_gains_more_wins() -> None:
    assert decide(look(hits(5000, 500), hits(5000, 700), hits(5000, 800))).winner == "c"


def test_a_challenger_that_is_proven_worse_leaves_and_the_others_keep_their_ratio() -> None:
    plan = replace(PLAN, control_share=0.6)

    made = decide(look(hits(6000, 600), hits(2000, 100), hits(2000, 210), plan=plan))

    assert made.outcome == "goes on"
    assert [arm.share for arm in made.arms] == pytest.approx([0.75, 0.0, 0.25])
    assert made.arms[1].out.startswith("converted is 0.05 of 2000 samples")
    assert made.reason.startswith("b is out: converted is 0.05")


def test_what_is_out_stays_out_whatever_comes_in_later() -> None:
    before = (*arms(0.5), replace(arms(0, 0)[1], out="guard failed"), replace(arms(0, 0, 0.5)[2]))

    made = decide(look(hits(5000, 500), hits(5000, 700), hits(5000, 500), arms=before))

    assert (made.outcome, made.winner) == ("goes on", "")
    assert [arm.share for arm in made.arms] == [0.5, 0.0, 0.5]


def test_a_test_whose_last_challenger_is_worse_ends_with_the_control() -> None:
    made = decide(look(hits(5000, 500), hits(5000, 300)))

    assert (made.outcome, made.winner) == ("kept", "a")


def test_less_is_better_where_the_goal_says_so() -> None:
    plan = TestPlan(metric=replace(CONVERTED, goal="decrease"))

    assert decide(look(hits(5000, 500), hits(5000, 300), plan=plan)).winner == "b"


def test_nothing_is_concluded_from_too_few_samples() -> None:
    assert decide(look(hits(199, 0), hits(200, 200))).outcome == "goes on"
    assert decide(look(hits(200, 0), hits(200, 200))).outcome == "won"


def test_a_test_ends_with_the_control_when_its_time_is_over() -> None:
    made = decide(look(hits(500, 50), hits(500, 51), number=PLAN.looks))

    assert (made.outcome, made.winner) == ("timed out", "a")
    assert made.reason == "its time is over after 672 looks, and no challenger is proven to be better"
    assert decide(look(hits(500, 50), hits(500, 51), number=PLAN.looks - 1)).outcome == "goes on"


def test_a_test_that_nobody_answers_goes_on_until_its_time_is_over() -> None:
    assert decide(look(Tally(), Tally())).reason == "nothing is proven yet"
    assert decide(look(Tally(), Tally(), number=PLAN.looks)).outcome == "timed out"


def both(count: int, successes: int, failures: int) -> Tally:
    sums = {
        CONVERTED.name: Sums(count, Decimal(successes), Decimal(successes)),
        FAILED.name: Sums(count, Decimal(failures), Decimal(failures)),
    }
    return Tally(count, sums)


def test_a_challenger_that_breaks_a_guard_is_out_however_well_it_converts() -> None:
    made = decide(look(both(5000, 500, 10), both(5000, 800, 200), plan=guarded()))

    assert (made.outcome, made.winner) == ("guarded", "a")
    assert "guard failed is 0.04 of 5000 samples, the control's 0.002" in made.reason


def test_a_guard_bears_its_margin() -> None:
    made = decide(look(both(5000, 500, 10), both(5000, 800, 200), plan=guarded(margin=0.05)))

    assert (made.outcome, made.winner) == ("won", "b")


def test_an_alarm_ends_the_test() -> None:
    made = decide(look(hits(5000, 500), hits(5000, 650), alarms=("churn-errors",)))

    assert (made.outcome, made.winner, made.reason) == ("alarmed", "a", "in alarm: churn-errors")


def test_no_winner_is_named_while_the_variants_get_other_numbers_of_keys_than_their_shares_say() -> None:
    made = decide(look(hits(5000, 500, exposed=5000), hits(5000, 700, exposed=7000)))

    assert made.outcome == "goes on"
    assert "must get their shares of the keys (6000, 6000), and got 5000, 7000" in made.reason


def test_that_shares_are_not_what_came_is_not_forgotten_when_a_variant_leaves() -> None:
    worse, control, lost = hits(6000, 200, exposed=6000), hits(5000, 500, exposed=5000), hits(5000, 700, exposed=7000)
    left = tuple(replace(arm, out="worse", share=0.0) if arm.variant == "c" else arm for arm in arms(0.5, 0.5, 0.0))

    made = decide(look(control, lost, worse, arms=left))

    assert made.outcome == "goes on"
    assert "must get their shares of the keys (6000, 6000), and got 5000, 7000" in made.reason
    assert decide(look(control, hits(5000, 700), worse, arms=left)).outcome == "won"


def test_an_unreported_outcome_counts_as_0_where_the_metric_says_so() -> None:
    tally = hits(100, 100, exposed=1000)

    assert sample_of(CONVERTED, tally).count == 100
    assert sample_of(replace(CONVERTED, unreported_is_zero=True), tally).mean == pytest.approx(0.1)


def test_sums_are_exact_where_floats_would_lose_the_variance() -> None:
    values = [Decimal("90000000.5") + Decimal(step) / 1000 for step in range(100)]
    sums = Sums(len(values), sum(values, Decimal(0)), sum((one * one for one in values), Decimal(0)))

    sample = sample_of(Metric(name="revenue", kind=MEAN, effect=1.0), Tally(100, {"revenue": sums}))

    assert sample.mean == pytest.approx(90000000.5495, rel=1e-12)
    assert sample.variance == pytest.approx(float(np.var(np.arange(100) / 1000, ddof=1)), rel=1e-9)


def test_values_that_are_all_the_same_prove_nothing() -> None:
    metric = Metric(name="revenue", kind=MEAN, effect=1.0)
    tallies = [Tally(500, {"revenue": Sums(500, Decimal(500) * n, Decimal(500) * n * n)}) for n in (1, 2)]

    assert decide(look(*tallies, plan=TestPlan(metric=metric))).outcome == "goes on"
    assert decide(look(*tallies, plan=TestPlan(metric=metric, traffic=THOMPSON))).outcome == "goes on"


def test_of_many_equal_challengers_any_is_judged_no_more_often_than_the_error_rate() -> None:
    source, runs, wrong = np.random.default_rng(23), 200, 0
    steps = np.diff(np.unique(np.geomspace(200, 4000, 25).astype(int)), prepend=0)
    for _ in range(runs):
        gathered = source.binomial(steps[:, None], 0.1, (len(steps), 5)).cumsum(axis=0)
        wrong += any(
            decide(look(*(hits(int(n), int(won)) for won in row))).arms != arms(*[0.2] * 5)
            for n, row in zip(steps.cumsum(), gathered, strict=True)
        )

    assert wrong / runs <= PLAN.error_rate


def test_the_chance_of_being_best_is_the_integral_of_the_posteriors() -> None:
    seen = [(300, 30), (300, 36), (250, 30)]

    chances = bandit.chances_of_best([Sample(n, hit / n, 0.0) for n, hit in seen], CONVERTED, seed="s")

    posteriors = [stats.beta(0.5 + hit, 0.5 + n - hit) for n, hit in seen]
    for index, own in enumerate(posteriors):
        others = [one for place, one in enumerate(posteriors) if place != index]
        exact = integrate.quad(lambda x: own.pdf(x) * np.prod([one.cdf(x) for one in others]), 0, 0.4, limit=200)[0]  # noqa: B023
        assert chances[index] == pytest.approx(exact, abs=0.03)


def test_the_chance_of_being_best_by_a_mean_is_that_of_the_normal_difference() -> None:
    metric = Metric(name="cost", kind=MEAN, goal="decrease", effect=1.0)

    chances = bandit.chances_of_best([Sample(400, 10.0, 16.0), Sample(400, 9.7, 16.0)], metric, seed="s")

    assert chances[1] == pytest.approx(stats.norm.cdf(0.3 / (2 * 16 / 400) ** 0.5), abs=0.03)


def test_a_bandit_moves_the_requests_to_the_better_but_never_below_the_minimum_share() -> None:
    made = decide(look(hits(1000, 100), hits(1000, 125), plan=BANDIT))

    assert made.outcome == "goes on"
    assert [arm.share for arm in made.arms] == pytest.approx([0.05 + 0.9 * one for one in made.chances], abs=1e-4)
    assert made.arms[1].share > 0.85
    assert made.arms[0].share >= 0.05


def test_a_bandit_waits_for_its_samples_and_gives_the_same_shares_again() -> None:
    early = decide(look(hits(199, 0), hits(1000, 900), plan=BANDIT))
    late = look(hits(300, 30), hits(300, 40), plan=BANDIT, number=7)

    assert [arm.share for arm in early.arms] == [0.5, 0.5]
    assert decide(late) == decide(late)
    assert decide(late).arms != decide(replace(late, number=8)).arms


@pytest.mark.parametrize(("successes", "expected"), [(130, "b"), (110, "a")])
def test_a_bandit_whose_time_is_over_takes_the_best_if_that_is_likely_enough(successes: int, expected: str) -> None:
    made = decide(look(hits(1000, 100), hits(1000, successes), plan=BANDIT, number=BANDIT.looks))

    assert (made.outcome, made.winner) == ("timed out", expected)
    assert ("which is no proof" in made.reason) == (expected == "b")


def play(plan: TestPlan, rates: tuple[float, ...], source: np.random.Generator, looks: int) -> tuple[float, bool]:
    """Conversions that were missed, by a test that goes on to its last look, and whether anything was concluded."""
    shares, counts, won = plan.shares(len(rates)), np.zeros(len(rates), int), np.zeros(len(rates), int)
    missed, concluded = 0.0, False
    for number in range(1, looks + 1):
        new = source.multinomial(500, np.array(shares) / sum(shares))
        counts, won = counts + new, won + source.binomial(new, rates)
        missed += float((new * (max(rates) - np.array(rates))).sum())
        tallies = [hits(int(n), int(hit)) for n, hit in zip(counts, won, strict=True)]
        made = decide(look(*tallies, plan=plan, number=number, run=str(missed)))
        concluded = concluded or made.ended or any(arm.out for arm in made.arms)
        if not made.ended and plan.traffic == THOMPSON:
            shares = [max(arm.share, 1e-9) for arm in made.arms]
    return missed, concluded


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares a little noisier than they are, in a fraction of the time."""
    monkeypatch.setattr(bandit, "_DRAWS", 200)


def test_a_bandit_loses_less_than_half_of_what_equal_shares_lose(few_draws: None) -> None:
    source, rates, plan = np.random.default_rng(24), (0.05, 0.06, 0.08), replace(PLAN, minimum_samples=100)

    equal = sum(play(plan, rates, source, 40)[0] for _ in range(6))
    followed = sum(play(replace(plan, traffic=THOMPSON), rates, source, 40)[0] for _ in range(6))

    assert followed < 0.5 * equal


def test_under_shares_that_follow_the_results_equal_variants_are_judged_no_more_often_than_the_error_rate(
    few_draws: None,
) -> None:
    source = np.random.default_rng(25)

    judged = sum(play(BANDIT, (0.1, 0.1), source, 12)[1] for _ in range(100))

    assert judged / 100 <= PLAN.error_rate


def drifting(rates: tuple[float, ...], source: np.random.Generator, looks: int, name: str) -> str:
    """How a bandit ends whose callers convert more from day to day, whoever answers them."""
    held, counts, won = arms(*BANDIT.shares(len(rates))), np.zeros(len(rates), int), np.zeros(len(rates), int)
    changes: list[tuple[Tally, ...]] = []
    for number in range(1, looks + 1):
        new = source.multinomial(1000, np.array([arm.share for arm in held]) / sum(arm.share for arm in held))
        counts, won = counts + new, won + source.binomial(new, np.array(rates) + 0.1 * number / looks)
        tallies = tuple(hits(int(n), int(hit)) for n, hit in zip(counts, won, strict=True))
        made = decide(
            look(*tallies, plan=BANDIT, number=number, run=name, arms=held, changes=tuple(changes)),
        )
        if made.ended:
            return made.outcome
        if made.arms != held:
            changes.append(tallies)
        held = made.arms
    return made.outcome


def test_a_rate_that_drifts_for_all_is_no_difference_however_a_bandits_shares_have_moved(few_draws: None) -> None:
    source = np.random.default_rng(27)

    ends = [drifting((0.05, 0.05), source, 30, f"run-{number}") for number in range(60)]

    # By the sums of all samples, most of them are "proven".
    assert sum(end != "goes on" for end in ends) / len(ends) <= PLAN.error_rate


def test_a_difference_is_found_although_the_rate_drifts(few_draws: None) -> None:
    source = np.random.default_rng(28)

    ends = [drifting((0.05, 0.08), source, 40, f"run-{number}") for number in range(20)]

    assert ends.count("won") >= 16


def test_shares_stay_until_each_variant_has_enough_samples_under_them() -> None:
    before = (hits(5000, 500), hits(5000, 520))
    few, enough = (hits(6000, 600), hits(5049, 525)), (hits(6000, 600), hits(5050, 525))
    held = arms(0.9, 0.1)

    def shares(tallies: tuple[Tally, Tally]) -> list[float]:
        made = decide(look(*tallies, plan=BANDIT, arms=held, changes=(before,)))
        return [arm.share for arm in made.arms]

    assert shares(few) == [0.9, 0.1]
    assert shares(enough) != [0.9, 0.1]


def test_what_was_gathered_between_two_changes_is_exact() -> None:
    huge = Tally(3, {"m": Sums(2, Decimal("123456789012345.000001"), Decimal("1" * 25 + ".000000000001"))})
    more = Tally(5, {"m": Sums(3, Decimal("123456789012345.000003"), Decimal("1" * 25 + ".000000000004"))})

    assert strata.since(huge, more) == Tally(2, {"m": Sums(1, Decimal("0.000002"), Decimal("0.000000000003"))})
    assert tallies_.from_mapping(json.loads(json.dumps(tallies_.to_mapping(more)))) == more


def test_shares_that_are_not_what_came_are_noticed_and_others_are_not() -> None:
    source = np.random.default_rng(26)
    fair = [source.binomial(1000, 0.5, 50).cumsum() for _ in range(300)]

    wrong = sum(
        any(mismatch([int(n), 1000 * (step + 1) - int(n)], [0.5, 0.5]) < 0.01 for step, n in enumerate(path))
        for path in fair
    )

    assert wrong / len(fair) <= 0.01
    lost = [10_000, 10_800]  # as scipy's test for one look sees it:
    assert stats.chisquare(lost).pvalue < 1e-4
    assert mismatch(lost, [0.5, 0.5]) < 0.0005


def test_looks_under_equal_shares_are_one_time() -> None:
    """So that a test whose shares never move is judged as the paper says, look by look."""
    shares = [0.2, 0.3, 0.5]
    looks = [[210, 290, 500], [1900, 3200, 4900], [20, 30, 50]]

    together = mismatch([sum(counts) for counts in zip(*looks, strict=True)], shares)

    assert mismatch_p_value(times_of(looks, [shares] * 3)) == pytest.approx(together)
    assert 0 < together < 1


def bandit_looks(source: np.random.Generator, *, kept: float = 1.0) -> list[Given]:
    """60 looks of a bandit whose shares wander; one variant may lose keys."""
    share, given = 0.5, []
    for _ in range(60):
        hits = source.binomial(2000, share)
        counts = [int(hits), int(source.binomial(2000 - hits, kept))]
        given.append(Given(counts=counts, shares=[share, 1 - share]))
        share = float(np.clip(share + source.normal(0, 0.08), 0.05, 0.95))
    return given


def test_under_moving_shares_keys_are_counted_against_those_that_were_in_force() -> None:
    source = np.random.default_rng(27)
    fair = [bandit_looks(source) for _ in range(100)]
    losing = [bandit_looks(source, kept=0.95) for _ in range(30)]

    wrong = sum(any(mismatch_p_value(path[:number]) < 0.01 for number in range(1, 61)) for path in fair)
    found = sum(mismatch_p_value(path) < 0.0005 for path in losing)

    assert wrong / len(fair) <= 0.01
    assert found / len(losing) >= 0.9
    # Against the shares of the last look alone, all of these would be called lost.
    totals = [[sum(one.counts[index] for one in path) for index in (0, 1)] for path in fair]
    assert sum(mismatch(one, path[-1].shares) < 0.0005 for one, path in zip(totals, fair, strict=True)) > 90


def test_a_bandit_that_loses_keys_names_no_winner() -> None:
    seen = replace(
        look(hits(5000, 500), hits(4000, 600), plan=BANDIT),
        given=(Given(counts=[5000, 4000], shares=[0.5, 0.5]),),
    )

    made = decide(seen)

    assert (made.outcome, made.winner) == ("goes on", "")
    assert "must get their shares of the keys (4500, 4500), and got 5000, 4000" in made.reason
