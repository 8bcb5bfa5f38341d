"""What becomes of a test at a look: it goes on, with these shares, or it ends, for this reason. Pure.

Everything concluded is concluded with at most the plan's error rate in all: half of it is for the metric that decides,
half for the guards, each divided by its number of comparisons with the control (Bonferroni). Without guards, the metric
has all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mlplatform_cdk.release.ab_test.runtime import balance, bandit, compare, strata
from mlplatform_cdk.release.ab_test.runtime.balance import Given
from mlplatform_cdk.release.ab_test.runtime.compare import Comparison
from mlplatform_cdk.release.ab_test.runtime.samples import Sample, sample_of
from mlplatform_cdk.runtimekit.ab_test.plan import THOMPSON, Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import Arm
from mlplatform_cdk.runtimekit.ab_test.tallies import Tally

GOES_ON, WON, KEPT, GUARDED, ALARMED, TIMED_OUT = "goes on", "won", "kept", "guarded", "alarmed", "timed out"
# Below this, the shares are not what the callers got: https://dl.acm.org/doi/10.1145/3292500.3330722 uses 0.0005.
_MISMATCH = 0.0005
# At the end of a bandit's time, the chance of being best at which a variant is taken without proof.
_TAKEN_AT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known at a look.

    :param plan: the test's.
    :param arms: the variants, the control first.
    :param tallies: what each has gathered.
    :param number: of the look, from 1.
    :param run: of the test; it seeds the draws.
    :param alarms: the alarms that are in alarm.
    :param changes: what each had gathered whenever the shares changed, the first change first.
    :param given: the keys by the shares that gave them their variants; default: all by these, if they never changed.
    """

    plan: TestPlan
    arms: tuple[Arm, ...]
    tallies: tuple[Tally, ...]
    number: int
    run: str
    alarms: tuple[str, ...] = ()
    changes: tuple[tuple[Tally, ...], ...] = ()
    given: tuple[Given, ...] = ()

    def samples(self, metric: Metric) -> list[Sample]:
        """``metric`` of each variant."""
        return [sample_of(metric, tally) for tally in self.tallies]

    def times(self, metric: Metric) -> list[list[Sample]]:
        """``metric`` of each variant: all of it, then that of each time of equal shares, the present one last."""
        nothing = (Tally(),) * len(self.tallies)
        ends = (nothing, *self.changes, self.tallies)
        parts = [
            [sample_of(metric, strata.since(one, other)) for one, other in zip(before, after, strict=True)]
            for before, after in pairwise(ends)
        ]
        return [self.samples(metric), *parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a look came to.

    :param outcome: ``goes on``, or how the test ended: ``won`` (a challenger), ``kept`` (the control is better than
        every challenger), ``guarded``, ``alarmed``, ``timed out``.
    :param winner: who gets all requests; empty while it goes on.
    :param arms: the variants with their new shares.
    :param reason: in sentences.
    :param comparisons: of every metric, every challenger with the control.
    :param chances: of each variant to be the best; empty: not asked.
    """

    outcome: str
    winner: str
    arms: tuple[Arm, ...]
    reason: str
    comparisons: tuple[Comparison, ...]
    chances: tuple[float, ...] = ()

    @property
    def ended(self) -> bool:
        """Is the test over."""
        return self.outcome != GOES_ON


def decide(look: Look) -> Decision:
    """The decision at ``look``."""
    comparisons = compare.all_of(look.plan, look.times, [arm.variant for arm in look.arms])
    arms = _without_losers(look, comparisons)
    control, challengers = arms[0], [arm for arm in arms[1:] if not arm.out]
    mismatch = _mismatch(look)
    better = [one for one in comparisons[look.plan.metric.name] if one.better and not _arm(arms, one.variant).out]
    new = [arm for arm, before in zip(arms, look.arms, strict=True) if arm.out != before.out]
    news = [f"{arm.variant} is out: {arm.out}" for arm in new]
    flat = tuple(one for ones in comparisons.values() for one in ones)
    chances = _chances(look, arms)

    def end(outcome: str, winner: str, reason: str) -> Decision:
        shares = tuple(replace(arm, share=float(arm.variant == winner)) for arm in arms)
        said = "; ".join([*news, reason])
        return Decision(
            outcome=outcome, winner=winner, arms=shares, reason=said, comparisons=flat, chances=tuple(chances)
        )

    if look.alarms:
        return end(ALARMED, control.variant, f"in alarm: {', '.join(look.alarms)}")
    if not challengers:
        guarded = any(arm.out.startswith(compare.GUARD) for arm in arms)
        return end(GUARDED if guarded else KEPT, control.variant, "no challenger is left")
    if better and not mismatch:
        best = max(better, key=lambda one: one.gain)
        return end(WON, best.variant, f"{best.variant}: {best.sentence}")
    if look.number >= look.plan.looks:
        return end(TIMED_OUT, *_at_the_end(look, arms, chances, mismatch))
    said = "; ".join([*news, *([mismatch] if mismatch else [])])
    return Decision(
        outcome=GOES_ON,
        winner="",
        arms=_shared(look, arms, chances),
        reason=said or "nothing is proven yet",
        comparisons=flat,
        chances=tuple(chances),
    )


def _without_losers(look: Look, comparisons: dict[str, tuple[Comparison, ...]]) -> tuple[Arm, ...]:
    """The arms, those that are proven worse, or that break a guard, marked as out."""
    arms = list(look.arms)
    for index, arm in enumerate(arms):
        worse = [one for ones in comparisons.values() for one in ones if one.variant == arm.variant and one.worse]
        if worse and not arm.out:
            arms[index] = replace(arm, out=worse[0].sentence)
    return tuple(arms)


def _shared(look: Look, arms: tuple[Arm, ...], chances: Sequence[float]) -> tuple[Arm, ...]:
    """The arms with their shares: what is out has none, the others divide it; a bandit's follow the chances.

    A bandit's shares stay until each has enough samples under them: these are what its variants are compared by.
    """
    now = [one for metric in look.plan.metrics for one in zip(arms, look.times(metric)[-1], strict=True)]
    if not chances or any(sample.count < strata.LEAST for arm, sample in now if not arm.out):
        # In proportion, so that the ratio of any two stays what it was, whatever the results were.
        left = sum(arm.share for arm in arms if not arm.out)
        return tuple(replace(arm, share=0.0 if arm.out else arm.share / left) for arm in arms)
    shares = iter(bandit.guarded(chances, look.plan.minimum_share))
    return tuple(replace(arm, share=0.0 if arm.out else round(next(shares), 4)) for arm in arms)


def _chances(look: Look, arms: tuple[Arm, ...]) -> list[float]:
    """Of the arms that are in to be the best; empty: shares are fixed, or too little is known."""
    samples = [sample for sample, arm in zip(look.samples(look.plan.metric), arms, strict=True) if not arm.out]
    known = all(one.count >= look.plan.minimum_samples and one.error_squared < float("inf") for one in samples)
    if look.plan.traffic != THOMPSON or not known:
        return []
    seed, metric = f"{look.run}#{look.number}", look.plan.metric
    if not look.changes:
        return bandit.chances_of_best(samples, metric, seed=seed)
    times = look.times(metric)[1:]
    inside = [index for index, arm in enumerate(arms) if index and not arm.out]
    ahead = [strata.estimate([(one[0], one[index]) for one in times]) for index in inside]
    return bandit.chances_by_differences(ahead, metric, seed=seed)


def _at_the_end(look: Look, arms: tuple[Arm, ...], chances: Sequence[float], mismatch: str) -> tuple[str, str]:
    """Who gets the requests when the time is over, and why."""
    if mismatch:
        return arms[0].variant, f"its time is over; {mismatch}"
    if chances and max(chances) >= _TAKEN_AT:
        inside = [arm for arm in arms if not arm.out]
        best = inside[chances.index(max(chances))]
        return (
            best.variant,
            f"its time is over; {best.variant} is the best with a chance of {max(chances):.1%}, which is no proof",
        )
    return arms[0].variant, f"its time is over after {look.number} looks, and no challenger is proven to be better"


def _mismatch(look: Look) -> str:
    """A sentence when the variants get other numbers of keys than the shares say that were in force when they came."""
    if not look.given and look.changes:
        return ""
    shares = tuple(arm.share for arm in look.arms)
    times = look.given or (Given(counts=[one.exposed for one in look.tallies], shares=shares),)
    if balance.mismatch_p_value(times) >= _MISMATCH:
        return ""
    inside = [index for index, arm in enumerate(look.arms) if not arm.out]
    wanted = ", ".join(f"{balance.wanted(times)[index]:.0f}" for index in inside)
    got = ", ".join(str(sum(time.counts[index] for time in times)) for index in inside)
    return f"the variants must get their shares of the keys ({wanted}), and got {got}: something loses some"


def _arm(arms: Sequence[Arm], variant: str) -> Arm:
    return next(arm for arm in arms if arm.variant == variant)
