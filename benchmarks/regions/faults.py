"""What goes wrong, when, for how long and where: drawn from a seed, and far more often than in any cloud."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

# Kinds that strike one region, with the mean days between two of one kind in one region.
LOCAL = {
    "outage": 14.0,
    "partial": 10.0,
    "grey": 10.0,
    "slow": 10.0,
    "wrong": 20.0,
    "flapping": 10.0,
    "probe dead": 20.0,
    "probe blind": 20.0,
    "clock": 10.0,
}
# Kinds that strike several regions at once, with the mean days between two.
SHARED = {"correlated": 14.0, "bad version": 14.0}
_SHORTEST, _MEAN, _LONGEST = MINUTE, 20 * MINUTE, 4 * HOUR


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in one region.

    :param kind: of ``LOCAL`` or ``SHARED``.
    :param region: which one.
    :param begins: in seconds.
    :param ends: in seconds.
    :param lost: the share of callers' requests that fail.
    :param seen: the share of the probe's requests that fail.
    :param slow: are answers slower than the budget.
    :param wrong: are answers wrong.
    :param version: what is served meanwhile; empty: the usual one.
    :param half_period: seconds for which a flapping fault is there, and then away.
    :param skew: seconds by which the clock is off.
    """

    kind: str
    region: int
    begins: float
    ends: float
    lost: float = 0.0
    seen: float = 0.0
    slow: bool = False
    wrong: bool = False
    version: str = ""
    half_period: float = 0.0
    skew: float = 0.0

    def is_on(self, now: float) -> bool:
        """Whether it strikes at a moment of its time."""
        if not self.half_period:
            return True
        return int((now - self.begins) / self.half_period) % 2 == 0


def faults(seed: int, regions: int) -> Iterator[Fault]:
    """The faults of a world for ever, by the time at which they begin.

    :param seed: gives the same faults to every policy.
    :param regions: how many regions there are.
    """
    random, number = Random(f"faults {seed}"), count()  # noqa: S311 - the same faults again, no secret
    queue: list[tuple[float, int, str, int]] = []
    for kind, days in LOCAL.items():
        for region in range(regions):
            heapq.heappush(queue, (random.expovariate(1 / (days * DAY)), next(number), kind, region))
    for kind, days in SHARED.items():
        heapq.heappush(queue, (random.expovariate(1 / (days * DAY)), next(number), kind, -1))
    while True:
        now, _, kind, region = heapq.heappop(queue)
        days = LOCAL.get(kind) or SHARED[kind]
        heapq.heappush(queue, (now + random.expovariate(1 / (days * DAY)), next(number), kind, region))
        yield from sorted(_strike(random, kind, region, now, regions), key=lambda one: one.begins)


def _strike(random: Random, kind: str, region: int, now: float, regions: int) -> list[Fault]:
    lasts = min(_LONGEST, _SHORTEST + random.expovariate(1 / _MEAN))
    share = random.uniform(0.1, 0.6)
    if kind == "correlated":
        struck = random.sample(range(regions), random.randint(min(2, regions), regions))
        slow = random.random() < 0.5  # noqa: PLR2004 - a coin
        lost = 0.0 if slow else random.choice([share, 1.0])
        return [Fault(kind, one, now, now + lasts, lost, lost, slow) for one in struck]
    if kind == "bad version":
        # At once, or from region to region.
        pause = random.choice([0.0, 10 * MINUTE])
        version = f"v{now:.0f}"
        return [
            Fault(kind, one, now + one * pause, now + one * pause + lasts, wrong=True, version=version)
            for one in range(regions)
        ]
    return [_local(random, kind, region, now, now + lasts, share)]


def _local(random: Random, kind: str, region: int, begins: float, ends: float, share: float) -> Fault:
    flapping = 3 * (ends - begins)
    made = {
        "outage": Fault(kind, region, begins, ends, 1.0, 1.0),
        "partial": Fault(kind, region, begins, ends, share, share),
        # Callers see it, and the probe a part of it at most.
        "grey": Fault(kind, region, begins, ends, share / 2, share / 2 * random.uniform(0.0, 0.3)),
        "slow": Fault(kind, region, begins, ends, slow=True),
        "wrong": Fault(kind, region, begins, ends, wrong=True),
        "flapping": Fault(kind, region, begins, begins + flapping, 1.0, 1.0, half_period=random.uniform(15, 150)),
        "clock": Fault(kind, region, begins, ends, skew=random.uniform(-600, 600)),
    }
    return made.get(kind, Fault(kind, region, begins, ends))
