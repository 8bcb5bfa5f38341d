"""Does a release keep its promises whatever happens, and in whatever order? The machine's own definition and decisions,
checked on a world in memory: approvals, rejections, alarms, stops, newer versions, gates, time-outs, failed updates,
throttling.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlplatform_cdk.release.blue_green.runtime import lock
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy, VerdictRules
from tests.release.model.interpreter import TaskError
from tests.release.model.surroundings import number_of
from tests.release.model.world import World

STRATEGY = Strategy(
    steps=(20, 60, 100),
    observe=timedelta(seconds=20),
    gates=(Gate(60),),
    bake=timedelta(seconds=20),
    retention=timedelta(days=7),
    rules=VerdictRules(without_enough_requests="wait"),
)
VERSIONS = st.integers(1, 5)
MANY_STATES = 40
CHANGING = ("Creating", "Updating", "Deleting")
QUIET = 4000


class Releases(RuleBasedStateMachine):
    """Everybody does anything at any time."""

    strategy = STRATEGY

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.world = World(strategy=self.strategy)
        self.world.install(self.patch)

    @initialize()
    def first_version(self) -> None:
        self.world.approve(1)
        self._run_down()
        assert self.world.stages == {1: "InService"}

    @rule(number=VERSIONS, supersede=st.booleans())
    @precondition(lambda self: len(self.world.running()) < 4)
    def approve(self, number: int, *, supersede: bool) -> None:
        self.world.approve(number, supersede=supersede)

    @rule(which=st.integers(0, 9), states=st.integers(1, MANY_STATES))
    @precondition(lambda self: self.world.running())
    def run(self, which: int, states: int) -> None:
        running = self.world.running()
        execution = running[which % len(running)]
        for _ in range(states):
            if execution in self.world.running():
                self.world.step(execution)
                self.traffic_is_safe()

    @rule(rounds=st.integers(1, 30), yes=st.booleans())
    @precondition(lambda self: self.world.running())
    def time_passes(self, rounds: int, *, yes: bool) -> None:
        """Everything goes on for a while, and updates end well; people may say yes."""
        for _ in range(rounds):
            self._go_on(*[one.answer for one in self.world.waiting("person") if yes])

    @rule(well=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.world.status in CHANGING)
    def an_update_ends(self, *, well: bool) -> None:
        self.world.settle(well=well)

    @rule(alarm=st.sampled_from(["alarm-a", "alarm-b", "orders"]))
    def an_alarm_rings(self, alarm: str) -> None:
        self.world.ring(alarm)

    @rule()
    def the_alarms_are_silent(self) -> None:
        self.world.ringing.clear()

    @rule(verdict=st.sampled_from([True, True, True, None, False]))
    def the_metrics_change(self, verdict: bool | None) -> None:  # noqa: FBT001 - hypothesis passes it by name
        self.world.verdict = verdict

    @rule(number=st.integers(4, 5))
    def a_version_answers_wrongly(self, number: int) -> None:
        self.world.wrong ^= {number}

    @rule()
    def the_load_grows(self) -> None:
        """But not in the seconds between a plan, which makes green as large as blue is, and blue's being held still."""
        row = lock.holder("dev-churn")
        blue = ((row.plan if row else None) or {}).get("blue", {"variant": ""})
        if not self.world.scales.get(blue["variant"]):
            self.world.scale()

    @rule(number=VERSIONS)
    def a_person_rejects(self, number: int) -> None:
        if self.world.approvals.get(number) == "Approved":
            self.world.reject(number)

    @rule()
    @precondition(lambda self: {one.weight for one in self.world.fleet.values()} == {0.0, 1.0})
    def a_person_rejects_what_has_no_traffic(self) -> None:
        """Such as blue while green bakes."""
        (kept,) = [one for one in self.world.fleet.values() if one.weight <= 0]
        number = number_of(kept.package)
        if self.world.approvals[number] == "Approved":
            self.world.reject(number)

    @rule(which=st.integers(0, 9), error=st.sampled_from(["", "Release.Aborted", "Release.TimedOut"]))
    @precondition(lambda self: self.world.running())
    def an_execution_is_stopped(self, which: int, error: str) -> None:
        running = self.world.running()
        self.world.stop(running[which % len(running)].arn, error, "ann: no")

    @rule(which=st.integers(0, 9))
    def a_person_redrives_what_ended(self, which: int) -> None:
        """Step Functions lets an execution go on in the state where it failed or was stopped."""
        dead = [one for one in self.world.executions.values() if one.status in ("ABORTED", "FAILED")]
        if dead:
            self.world.redrive(dead[which % len(dead)].arn)

    @rule()
    def the_next_answer_is_lost(self) -> None:
        """A call that changes something takes effect, and is made again."""
        self.world.deaf = True

    @rule()
    def a_person_rolls_back(self) -> None:
        self.world.start(action="rollback", who="ann", reason="complaints")

    @rule()
    @precondition(lambda self: self.world.ended)
    def an_end_is_heard_of(self) -> None:
        self.world.hear_of_end()

    @rule(said=st.sampled_from(["yes", "yes", "no", "nothing"]))
    @precondition(lambda self: self.world.waiting("person"))
    def a_gate_is_answered(self, said: str) -> None:
        errors = {"no": TaskError("Release.Rejected", "ann: no"), "nothing": TaskError("States.Timeout", "")}
        self.world.waiting("person")[0].answer(errors.get(said))

    @rule()
    @precondition(lambda self: self.world.waiting("retention"))
    def a_week_passes(self) -> None:
        self.world.waiting("retention")[0].answer()

    @rule()
    def the_next_call_is_throttled(self) -> None:
        self.world.throttled = True

    @invariant()
    def traffic_is_safe(self) -> None:
        """Never two fleets at full weight, never traffic on an untested green."""
        world, serving = self.world, [one for one in self.world.fleet.values() if one.weight > 0]
        assert sum(one.weight for one in serving) == pytest.approx(1.0) or not world.fleet
        assert len([one for one in serving if one.weight >= 1.0]) <= 1
        if len(world.fleet) > 1:
            assert all(one.tested for one in serving), "traffic on a green that was not tested"

    @invariant()
    def there_is_a_way_back(self) -> None:
        """Until a release decides to finish, blue stands beside a green with traffic, ready to have all of it."""
        world, row = self.world, lock.holder("dev-churn")
        plan = row.plan if row is not None else None
        if row is None or not plan or plan.get("way") not in ("beside", "resume"):
            return
        green = world.fleet.get(plan["green"]["variant"])
        serves = green is not None and green.package == plan["package_arn"] and green.weight > 0
        if serves and (row.owner, "Finish") not in {key[:2] for key in world.records}:
            blue = world.fleet.get(plan["blue"]["variant"])
            assert blue is not None
            assert (blue.package, blue.count > 0) == (plan["blue"]["package_arn"], True)

    def teardown(self) -> None:
        """In the end all is quiet: nobody holds the lock, and one version serves."""
        try:
            self._run_down()
            world = self.world
            if lock.holder("dev-churn") is not None and world.gave_up:
                world.start(action="rollback", who="ann", reason="nothing is tried any more")
                self._run_down()
            held = lock.holder("dev-churn")
            assert held is None, f"{held} holds the lock"
            assert world.status in ("InService", "")
            assert not [one for one in world.fleet.values() if 0 < one.weight < 1], "the traffic is split"
            serving = {name: one for name, one in world.fleet.items() if one.weight > 0}
            assert all(one.count >= world.load for one in serving.values()), "too small for its load"
            assert world.scales == dict.fromkeys(serving, True), (
                f"only what serves scales, got {world.scales} of {world.fleet}"
            )
        finally:
            self.patch.undo()

    def _run_down(self) -> None:
        """Let everything come to its end, well."""
        world = self.world
        world.throttled, world.verdict = False, True
        world.ringing.clear()
        for _ in range(QUIET):
            if not self._one_more():
                return
        raise AssertionError(f"it does not end: {[(one.arn, one.state) for one in world.running()]}")

    def _one_more(self) -> bool:
        world = self.world
        return self._go_on(
            *([world.hear_of_end] if world.ended else []),
            *[one.answer for one in world.waiting("person")],
            *[one.answer for one in world.waiting("retention")],
        )

    def _go_on(self, *more: Callable[[], None]) -> bool:
        world = self.world
        ends = [lambda: world.settle(well=True)] if world.status in CHANGING else []
        doings = [*ends, *[self._run_some(one.arn) for one in world.running()], *more]
        for do in doings:
            do()
            self.traffic_is_safe()
            self.there_is_a_way_back()
        return bool(doings)

    def _run_some(self, arn: str) -> Callable[[], None]:
        def some() -> None:
            execution = self.world.executions[arn]
            for _ in range(5):
                if execution in self.world.running():
                    self.world.step(execution)

        return some


class Shadows(Releases):
    """The same with a shadow first, nothing kept, and newer versions that supersede."""

    strategy = Strategy.shadow(
        50, observe=timedelta(seconds=20), bake=timedelta(0), retention=timedelta(0), supersede=True
    )


CHECKED = settings(max_examples=40, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestReleases = Releases.TestCase
TestReleases.settings = CHECKED
TestShadows = Shadows.TestCase
TestShadows.settings = CHECKED
