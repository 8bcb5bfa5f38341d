"""A rehearsal from its first request to its last outcome."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlplatform_cdk.local.rehearsal import faults, model
from mlplatform_cdk.local.rehearsal.disturbances import CannotAct, Disturbance
from mlplatform_cdk.local.rehearsal.findings import Facts, judge
from mlplatform_cdk.local.rehearsal.ledger import Ledger
from mlplatform_cdk.local.rehearsal.load import Load
from mlplatform_cdk.local.rehearsal.people import LONGEST_SECONDS, NothingHappened, People, until
from mlplatform_cdk.local.rehearsal.report import Outcome
from mlplatform_cdk.local.rehearsal.scenarios import BY_NAME
from mlplatform_cdk.local.rehearsal.watching import Release, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlplatform_cdk.local.administrator import Administrator
    from mlplatform_cdk.local.rehearsal.scenarios import Scenario
    from mlplatform_cdk.local.rehearsal.target import Target

    Tell = Callable[[str], None]

QUIET_SECONDS = 1.0  # of requests before a release begins, and after it has ended
PLACES = ("a", "b")  # the next version takes the one that the live version does not have
NO_GATE, NO_ALARM = "no gate: the release asks nobody", "no alarm: none watches the variants"
NO_WINDOW = "no window: the release watches nobody while green has traffic"


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """The releases of one endpoint, one scenario after the other, each beginning where the one before it ended.

    :param aws: the embedded AWS, with the assembly deployed.
    :param target: whose releases.
    :param rate: requests a second.
    :param tell: told what happens.
    """

    aws: Administrator
    target: Target
    rate: float
    tell: Tell

    def run(self, scenarios: Sequence[Scenario]) -> Iterator[Outcome]:
        """What came of each, as soon as it is known."""
        people = People(self.aws, self.target)
        people.keep_trains_at_home()
        for scenario in scenarios:
            reason = self._why_not(scenario, people)
            if reason is not None:
                yield _empty(scenario, None, reason)
                continue
            try:
                self._have_a_good_one_live(people)
                yield self._scenario(scenario, people)
            except (NothingHappened, CannotAct) as problem:
                yield _empty(scenario, False, str(problem))
                people.clear()

    def _why_not(self, scenario: Scenario, people: People) -> str | None:
        if scenario.needs_gate and not self.target.has_gate:
            return NO_GATE
        if scenario.needs_window and not self.target.has_windows:
            return NO_WINDOW
        if scenario.act == "alarm" and not all(people.alarms(variant) for variant in PLACES):
            return NO_ALARM
        return None

    def _have_a_good_one_live(self, people: People) -> None:
        """Release a good version where there is none yet, or where a scenario that did not hold has left a bad one."""
        live = self._live(people)
        if live is not None and people.is_good(people.versions()[live]):
            return
        self.tell("a good version to begin with")
        if live is None:
            self._first(people)
            return
        outcome = self._scenario(BY_NAME["good"], people)
        if not outcome.held:
            raise NothingHappened(f"no good version took the place of the bad one: {'; '.join(outcome.problems)}")

    def _first(self, people: People) -> None:
        """Bring up the endpoint's first version, which has no blue beside it and no callers."""
        execution = people.approve(people.register(faults.NONE))
        gates = Disturbance("nothing")
        began = time.time()
        ledger, release = Ledger(), Release(version="", blue="", green="", execution=execution, began=began)

        def ended() -> str | None:
            gates.look(release, people, ledger)
            status: str = people.execution(execution)["status"]
            return None if status == "RUNNING" else status

        status = until(ended, "the end of the first release", seconds=LONGEST_SECONDS)
        if status != "SUCCEEDED":
            raise NothingHappened(f"the first version was not released: {people.execution(execution).get('cause')}")

    def _live(self, people: People) -> str | None:
        """The variant that has all the traffic; None: there is none."""
        if people.endpoint() is None:
            return None
        return next((name for name, share in people.weights().items() if share == 1.0), None)

    def _scenario(self, scenario: Scenario, people: People) -> Outcome:
        blue = self._live(people)
        if blue is None:
            raise NothingHappened("no version has all the traffic")
        self.tell(scenario.title)
        golden = model.make("question").manifest.golden_requests[0]
        body, ledger = json.dumps(golden.body()).encode(), Ledger()
        began = time.time()
        with Load(self.aws.settings, self.target.endpoint, body, rate=self.rate, ledger=ledger):
            right = until(lambda: next((one.text for one in ledger.so_far() if one.answered), None), "an answer")
            time.sleep(QUIET_SECONDS)
            version = people.register(scenario.fault)
            release = Release(
                version=version,
                blue=blue,
                green=next(place for place in PLACES if place != blue),
                execution=people.approve(version),
                began=began,
            )
            release.note("approved")
            execution = watch(release, scenario, people, ledger, Disturbance(scenario.act), self.tell)
            release.note("over")
            ended = time.time()
            time.sleep(QUIET_SECONDS)
        live = self._live(people)
        return judge(
            Facts(
                scenario=scenario,
                release=release,
                requests=ledger.so_far(),
                right=right,
                execution=execution,
                history=people.history(release.execution),
                package=people.package(version),
                live=None if live is None else people.versions()[live],
                held_still=people.held_still(),
                ended=ended,
            )
        )


def _empty(scenario: Scenario, held: bool | None, reason: str) -> Outcome:  # noqa: FBT001 - the outcome's own
    return Outcome(
        name=scenario.name, title=scenario.title, version=scenario.fault.sentence, held=held, problems=(reason,)
    )
