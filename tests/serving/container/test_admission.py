"""Is what is accepted answered in time, however much comes, and the machine kept busy? In simulated time."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.load import Load, remaining
from mlplatform_cdk.serving.container.messages import Request
from mlplatform_cdk.serving.container.pace import Pace
from mlplatform_cdk.serving.container.queue import Queue

BUDGET_SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A model on a machine: a batch takes ``base + each * rows`` seconds, more or less."""

    base: float
    each: float
    most: int
    budget: float
    lanes: int = 2
    jitter: float = 0.15  # standard deviation of a batch's time, as a share of its mean
    stalls: float = 0.005  # share of batches that take three times as long
    warm_up: float = 1.0  # what the warm-up measured, as a share of the truth

    def seconds(self, rows: int, chance: random.Random) -> float:
        stalled = 3 if chance.random() < self.stalls else 1
        return (self.base + self.each * rows) * max(0.3, chance.gauss(1, self.jitter)) * stalled

    @property
    def capacity(self) -> float:
        """Rows a second, in batches that last no longer than a third of the budget."""
        rows = max(1, min(self.most, int((self.budget / 3 - self.base) / self.each)))
        mean = 1 + 2 * self.stalls
        return self.lanes * rows / (self.base + self.each * rows) / mean

    def queue(self) -> Queue:
        full = self.base + self.each * self.most
        one = self.base + self.each
        pace = Pace(seconds=one * self.warm_up, full_seconds=full * self.warm_up, full_rows=self.most)
        deadline = BUDGET_SHARE * self.budget
        return Queue(
            Load(pace, lanes=self.lanes, most_rows=self.most, deadline=deadline), self.most, 1024, sharers=self.lanes
        )


MACHINES = {
    "tabular": Machine(base=20e-6, each=25e-6, most=64, budget=0.1, lanes=1, jitter=0.3, stalls=0.001),
    "convolutional": Machine(base=0.004, each=0.018, most=8, budget=0.5),
    "transformer": Machine(base=0.0, each=0.027, most=1, budget=0.5),
    "on a GPU": Machine(base=0.008, each=0.0002, most=64, budget=0.05, lanes=2),
    "tight": Machine(base=0.0, each=0.02, most=1, budget=0.1),
    "warm-up too fast": Machine(base=0.0, each=0.027, most=1, budget=0.5, warm_up=0.4),
    "warm-up too slow": Machine(base=0.0, each=0.027, most=1, budget=0.5, warm_up=2.5),
}


@dataclass
class Seen:
    """What came of the requests; latencies of those that were answered, by their arrival."""

    latencies: list[tuple[float, float]] = field(default_factory=list)
    rows: int = 0
    refused: int = 0
    late: int = 0

    def p99(self, since: float = 0.0) -> float:
        found = sorted(latency for arrived, latency in self.latencies if arrived >= since)
        return found[int(0.99 * len(found))]


class Simulation:
    """``machine`` as the container runs it, in simulated time."""

    def __init__(self, machine: Machine, seed: int = 1) -> None:
        self.machine, self.chance, self.queue = machine, random.Random(seed), machine.queue()
        self.allowed = BUDGET_SHARE * machine.budget
        self.seen, self.now = Seen(), 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._ends: dict[int, float] = {}

    def at(self, moment: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), do))

    def run(self) -> Seen:
        while self._events:
            self.now, _, do = heapq.heappop(self._events)
            do()
        return self.seen

    def ask(self, rows: int = 1, then: Callable[[], None] = lambda: None) -> None:
        """A request comes now; ``then`` is called once it is answered or refused."""
        queue, now = self.queue, self.now
        free = len(self._ends) < self.machine.lanes
        left = remaining(self._ends.values(), now)
        if queue.late_by(rows, self.allowed, remaining=left, free=free) > 0:
            self.seen.refused += 1
            then()
            return
        job = Job(
            Request("POST", "/", {}, b"", now),
            then,  # type: ignore[arg-type]
            "",
            rows,
            now + self.allowed,
            now + queue.load.patience(rows, self.allowed),
        )
        queue.put(job)
        for lane in range(self.machine.lanes):
            if lane not in self._ends:
                self._begin(lane)

    def _begin(self, lane: int) -> None:
        jobs, late, rows = self.queue.take(self.now, free=self.machine.lanes - len(self._ends))
        self.seen.late += len(late)
        for job in late:
            job.reply()  # type: ignore[call-arg]
        if not jobs:
            if late:
                self._begin(lane)
            return
        seconds = self.machine.seconds(rows, self.chance)
        self._ends[lane] = self.now + self.queue.load.seconds(rows)
        self.at(self.now + seconds, lambda: self._end(lane, jobs, rows, seconds))

    def _end(self, lane: int, jobs: list[Job], rows: int, seconds: float) -> None:
        del self._ends[lane]
        self.queue.load.learn(seconds, rows)
        self.seen.rows += rows
        for job in jobs:
            self.seen.latencies.append((job.request.arrived, self.now - job.request.arrived))
        self._begin(lane)
        for job in jobs:
            job.reply()  # type: ignore[call-arg]


def open_loop(machine: Machine, rate: float, seconds: float, rows: Callable[[random.Random], int]) -> Seen:
    simulation, moment = Simulation(machine), 0.0
    arrivals = random.Random(2)
    while moment < seconds:
        size = rows(arrivals)
        moment += arrivals.expovariate(rate / size)
        simulation.at(moment, lambda size=size: simulation.ask(size))  # type: ignore[misc]
    return simulation.run()


def one_row(_: random.Random) -> int:
    return 1


@pytest.mark.parametrize("times", [1.5, 3, 10])
@pytest.mark.parametrize("name", MACHINES)
def test_what_is_accepted_is_answered_within_the_budget_and_the_machine_is_kept_busy(name: str, times: float) -> None:
    machine = MACHINES[name]
    seconds = max(0.5, 1000 / machine.capacity)

    seen = open_loop(machine, times * machine.capacity, seconds, one_row)

    assert seen.p99() <= machine.budget
    assert seen.rows >= 0.9 * machine.capacity * seconds
    assert seen.late <= 0.01 * len(seen.latencies)


def test_batches_that_are_mostly_their_own_time_are_not_divided() -> None:
    machine = Machine(base=0.08, each=0.002, most=64, budget=0.5, lanes=4)
    seconds = 20.0

    seen = open_loop(machine, 1.5 * machine.capacity, seconds, one_row)

    assert seen.rows >= 1.04 * machine.capacity * seconds  # batches are larger than those that capacity is counted by


@pytest.mark.parametrize("times", [1.5, 3, 10])
def test_large_requests_among_small_ones_count_by_their_rows(times: float) -> None:
    machine = Machine(base=0.0001, each=0.00005, most=64, budget=0.1)
    seconds = 5.0

    seen = open_loop(machine, times * machine.capacity, seconds, lambda chance: 400 if chance.random() < 0.02 else 1)

    assert seen.p99() <= machine.budget
    assert seen.rows >= 0.9 * machine.capacity * seconds
    assert seen.late <= 0.01 * len(seen.latencies)


def closed_loop(machine: Machine, connections: int, seconds: float) -> Seen:
    simulation = Simulation(machine)

    def again() -> None:
        if simulation.now < seconds:
            simulation.at(simulation.now + 0.0005, lambda: simulation.ask(then=again))

    for _ in range(connections):
        simulation.ask(then=again)
    return simulation.run()


@pytest.mark.parametrize("name", ["tabular", "convolutional", "transformer", "warm-up too fast"])
@pytest.mark.parametrize("connections", [1, 16])
def test_a_closed_loop_whose_wait_stays_within_the_budget_is_never_refused(name: str, connections: int) -> None:
    machine = MACHINES[name]
    assert connections / machine.capacity < 0.6 * machine.budget

    seen = closed_loop(machine, connections, max(1.0, 1000 / machine.capacity))

    assert len(seen.latencies) > 100
    assert (seen.refused, seen.late) == (0, 0)


@pytest.mark.parametrize("moment", [0.0, 0.3], ids=["at first", "later"])
def test_a_stall_of_half_the_budget_costs_no_request_when_the_rest_can_be_answered(moment: float) -> None:
    machine = MACHINES["tabular"]
    simulation = Simulation(machine)
    for number in range(6000):
        simulation.at(number / 10_000, simulation.ask)

    class Stalled(random.Random):
        def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
            if simulation.now < moment or self.stalled:
                return super().gauss(mu, sigma)
            self.stalled = True
            return 0.05 / (machine.base + machine.each)  # a batch of one row takes 50 ms

        stalled = False

    simulation.chance = Stalled(1)
    seen = simulation.run()

    assert max(latency for _, latency in seen.latencies) > 0.05
    assert (seen.refused, seen.late) == (0, 0)


def test_after_a_crowd_nobody_is_refused_any_more() -> None:
    machine = MACHINES["transformer"]
    simulation = Simulation(machine)
    for number in range(400):
        simulation.at(number * 0.001, simulation.ask)
    calm = [1.5 + number / (0.7 * machine.capacity) for number in range(100)]
    refused: list[int] = []
    simulation.at(calm[0], lambda: refused.append(simulation.seen.refused))
    for moment in calm:
        simulation.at(moment, simulation.ask)

    seen = simulation.run()

    assert refused[0] > 300
    assert seen.refused == refused[0]
