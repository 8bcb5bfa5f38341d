"""Is what is accepted answered in time where several models share the lanes? In simulated time."""

import heapq
import random
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.lanes import Lanes
from mlplatform_cdk.serving.container.load import remaining
from mlplatform_cdk.serving.container.messages import Request
from tests.serving.container.test_admission import BUDGET_SHARE, Machine, Seen

_WAKE_SECONDS = 0.0001  # of a lane


class Served:
    """A model that waits for lanes; ``turn`` is its last one."""

    turn = 0

    def __init__(self, machine: Machine) -> None:
        self.machine, self.queue, self.seen = machine, machine.queue(), Seen()

    @property
    def waits(self) -> bool:
        return bool(self.queue.jobs)

    def seconds_of(self, turns: int, among: int) -> float:
        return self.queue.seconds_of(turns, among)

    def work(self) -> bool:
        raise NotImplementedError


class Still(Lanes):
    """Lanes whose threads do nothing: who computes is simulated."""

    def _run(self) -> None: ...


class Shared:
    """Models like ``machine`` on its lanes, as the container runs them, in simulated time."""

    def __init__(self, machine: Machine, models: int) -> None:
        self.machine, self.chance, self.now = machine, random.Random(1), 0.0
        self.lanes, self.models = Still(machine.lanes), [Served(machine) for _ in range(models)]
        for one in self.models:
            self.lanes.join(one)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order, self._turns = count(), count(1)
        self._ends: dict[int, float] = {}
        self._waking: set[int] = set()

    def at(self, moment: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), do))

    def run(self) -> list[Seen]:
        while self._events:
            self.now, _, do = heapq.heappop(self._events)
            do()
        return [one.seen for one in self.models]

    def ask(self, model: Served) -> None:
        queue, now, allowed = model.queue, self.now, BUDGET_SHARE * self.machine.budget
        among = self.lanes.among(model)
        free, turns = len(self._ends) < self.machine.lanes, queue.turns(1, among)
        left = remaining(self._ends.values(), now)
        left += self.lanes.others(model, turns, among, 0.0 if free else queue.seconds_through(1, turns), now)
        if queue.late_by(1, allowed, remaining=left, free=free) > 0:
            model.seen.refused += 1
            return
        request = Request("POST", "/", {}, b"", now)
        queue.put(Job(request, lambda _: None, "", 1, now + allowed, now + queue.load.patience(1, allowed)))
        self.lanes.offer(model)
        for lane in range(self.machine.lanes):
            if lane not in self._ends and lane not in self._waking:
                self._waking.add(lane)
                self.at(now + _WAKE_SECONDS, partial(self._begin, lane))
                return

    def _begin(self, lane: int) -> None:
        self._waking.discard(lane)
        while waiting := [one for one in self.models if one.waits]:
            model = min(waiting, key=lambda one: one.turn)
            model.turn, queue = next(self._turns), model.queue
            jobs, late, rows = queue.take(self.now, self.lanes.among(model), self.machine.lanes - len(self._ends))
            model.seen.late += len(late)
            if jobs:
                alone = rows == 1 and not queue.jobs and not self._ends
                self._ends[lane] = self.now + queue.load.seconds(rows)
                seconds = self.machine.seconds(rows, self.chance)
                self.at(self.now + seconds, partial(self._end, lane, model, jobs, seconds, alone=alone))
                return

    def _end(self, lane: int, model: Served, jobs: list[Job], seconds: float, *, alone: bool) -> None:
        del self._ends[lane]
        self.lanes.took(model, seconds, self.now)
        if not alone:
            model.queue.load.learn(seconds, len(jobs))
        model.seen.rows += len(jobs)
        model.seen.latencies += [(job.request.arrived, self.now - job.request.arrived) for job in jobs]
        self._begin(lane)


@pytest.mark.parametrize(("each", "base"), [(0.002, 0.0), (0.002, 0.006), (0.02, 0.0)])
@pytest.mark.parametrize("quiet", [0.05, 0.3])
def test_what_a_busy_model_is_promised_leaves_room_for_what_a_quiet_one_will_take(
    each: float, base: float, quiet: float
) -> None:
    machine = Machine(base=base, each=each, most=64, budget=0.5)
    shared, arrivals = Shared(machine, 2), random.Random(5)
    calm, seconds = 5.0, max(10.0, 6000 / machine.capacity)
    for model, shares in zip(shared.models, ((quiet, quiet), (0.2, 3)), strict=True):
        moment = 0.0
        while moment < seconds:
            moment += arrivals.expovariate(shares[moment > calm] * machine.capacity)
            shared.at(moment, partial(shared.ask, model))

    seldom, often = shared.run()

    for seen in (seldom, often):
        assert seen.p99() <= machine.budget
        assert seen.late <= 0.02 * (len(seen.latencies) + seen.late)
    assert seldom.refused <= 0.01 * len(seldom.latencies)
    answered = sum(arrived >= calm for seen in (seldom, often) for arrived, _ in seen.latencies)
    assert answered >= 0.75 * machine.capacity * (seconds - calm)


@pytest.mark.parametrize(("each", "burst"), [(0.002, 60), (0.02, 10)])
def test_bursts_to_many_models_on_lanes_that_are_mostly_idle_are_answered(each: float, burst: int) -> None:
    machine, models = Machine(base=0.0, each=each, most=64, budget=0.5), 40
    shared, arrivals, moment = Shared(machine, models), random.Random(5), 0.0
    while moment < 40:
        moment += arrivals.expovariate(0.15 * machine.capacity / burst)
        model = arrivals.choice(shared.models)
        for _ in range(burst):
            shared.at(moment, partial(shared.ask, model))

    seen = shared.run()

    answered = sum(one.rows for one in seen)
    assert answered >= 0.1 * machine.capacity * moment
    assert sum(one.refused + one.late for one in seen) <= 0.01 * answered
