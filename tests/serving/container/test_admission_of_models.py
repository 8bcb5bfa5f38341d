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


class Shared:
    """Models like ``machine`` on its lanes, as the container runs them, in simulated time."""

    def __init__(self, machine: Machine, models: int) -> None:
        self.machine, self.chance, self.now = machine, random.Random(1), 0.0
        self.lanes, self.models = Lanes(machine.lanes), [Served(machine) for _ in range(models)]
        for one in self.models:
            self.lanes.join(one)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order, self._turns = count(), count(1)
        self._ends: dict[int, float] = {}

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
        left = remaining(self._ends.values(), now)
        left += self.lanes.others(model, queue.turns(1, among), among, queue.seconds_through(1))
        if queue.late_by(1, allowed, remaining=left, free=len(self._ends) < self.machine.lanes) > 0:
            model.seen.refused += 1
            return
        request = Request("POST", "/", {}, b"", now)
        queue.put(Job(request, lambda _: None, "", 1, now + allowed, now + queue.load.patience(1, allowed)))
        for lane in range(self.machine.lanes):
            if lane not in self._ends:
                self._begin(lane)

    def _begin(self, lane: int) -> None:
        while waiting := [one for one in self.models if one.waits]:
            model = min(waiting, key=lambda one: one.turn)
            model.turn, queue = next(self._turns), model.queue
            jobs, late, rows = queue.take(self.now, self.lanes.among(model), self.machine.lanes - len(self._ends))
            model.seen.late += len(late)
            if jobs:
                self._ends[lane] = self.now + queue.load.seconds(rows)
                seconds = self.machine.seconds(rows, self.chance)
                self.at(self.now + seconds, partial(self._end, lane, model, jobs, seconds))
                return

    def _end(self, lane: int, model: Served, jobs: list[Job], seconds: float) -> None:
        del self._ends[lane]
        self.lanes.took(model, seconds)
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
    shared = Shared(machine, 2)
    seconds, arrivals = max(5.0, 4000 / machine.capacity), random.Random(5)
    for model, share in zip(shared.models, (quiet, 3), strict=True):
        moment = 0.0
        while (moment := moment + arrivals.expovariate(share * machine.capacity)) < seconds:
            shared.at(moment, partial(shared.ask, model))

    seldom, often = shared.run()

    for seen in (seldom, often):
        assert seen.p99() <= machine.budget
        assert seen.late <= 0.01 * (len(seen.latencies) + seen.late)
    assert seldom.refused <= 0.001 * len(seldom.latencies)
    assert seldom.rows + often.rows >= 0.85 * machine.capacity * seconds
