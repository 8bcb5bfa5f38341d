"""Callers, names, load and probes of a few regions, event by event; quiet stretches are leapt over.

Who asks goes to his own region while Route 53 names it, and to the next one after. Route 53 follows a verdict after its
checks, and resolvers after their time to live, half of the callers early and half of them late.
"""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from benchmarks.regions.faults import Fault, faults
from benchmarks.regions.outcome import Outcome
from benchmarks.regions.policies import Policy
from mlplatform_cdk.runtimekit.region_health import Golden, Observation

INTERVAL = 10.0
MOST_INTERVALS = 3  # in which an outage is found, says docs/region-health.md
_VALID = 3 * INTERVAL  # of a verdict
_TTL = 60.0  # of an alias record
_REQUESTS = 3
_NOISE = 1e-4  # a request that fails for no reason
_HEADROOM, _SHEDS_FROM = 1.4, 1.5  # capacity over the usual load; the load at which a region turns callers away
_SCALES_AFTER, _SHRINKS_AFTER, _SCALES_TO = 240.0, 900.0, 1.25
_WEEK = 7 * 86400.0


class World:
    """Simulates one policy.

    :param seed: of the faults, and of everything else that is drawn.
    :param regions: how many.
    :param policy: makes a region's rule by its name; None: callers stay where they are.
    """

    def __init__(self, seed: int, regions: int, policy: Callable[[str], Policy] | None) -> None:
        self.random, self._number = Random(f"world {seed}"), count()  # noqa: S311 - no secret
        self._n, self._fails_over = regions, policy is not None
        self._policies = [policy(f"r{one}") for one in range(regions)] if policy else []
        self._faults = faults(seed, regions)
        self._next_fault = next(self._faults)
        self._active: list[list[Fault]] = [[] for _ in range(regions)]
        self._named = [[True] * regions for _ in range(2)]  # for the early half of the callers and for the late
        self._told = [True] * regions  # what Route 53 has seen last
        self._fresh_until = [_VALID] * regions
        self._load = [1.0 / regions] * regions
        self._capacity = [_HEADROOM / regions] * regions
        self._struck: tuple[int, float] | None = None  # by an outage, while all else is well: which region, and when
        self._queue: list[tuple[float, int, str, int, Any]] = []
        self._now, self._rate = 0.0, (0.0, 0.0)
        self.outcome = Outcome(leavings={one: [] for one in range(regions)})
        for one in range(regions) if policy else ():
            self._at(self.random.uniform(0, INTERVAL), "look", one)

    def run(self, seconds: float) -> Outcome:
        """Let so much time pass."""
        while True:
            due = self._queue[0][0] if self._queue else _WEEK * 1e6
            now = min(due, self._next_fault.begins, seconds)
            self._pass(now)
            if now >= seconds:
                self.outcome.seconds = seconds
                self._stop_waiting()
                return self.outcome
            if now == self._next_fault.begins:
                self._begin(self._next_fault)
                self._next_fault = next(self._faults)
                continue
            _, _, kind, region, data = heapq.heappop(self._queue)
            getattr(self, f"_{kind}")(region, data)

    # What happens.

    def _begin(self, fault: Fault) -> None:
        self._stop_waiting()
        quiet = self._policies and not any(self._active) and all(one.is_at_rest for one in self._policies)
        if quiet and fault.kind == "outage":
            self._struck = (fault.region, self._now)
        self._active[fault.region].append(fault)
        self._at(fault.ends, "end", fault.region, fault)
        if fault.half_period:
            self._at(fault.begins + fault.half_period, "toggle", fault.region, fault)
        self._measure()

    def _end(self, region: int, fault: Fault) -> None:
        self._stop_waiting()
        self._active[region].remove(fault)
        self._measure()

    def _stop_waiting(self, *, found: bool = False) -> None:
        """For an outage to be found: it was, or ended, or all else is well no longer; late, it counts in any case."""
        waited = self._now - self._struck[1] if self._struck else 0.0
        if found or waited > MOST_INTERVALS * INTERVAL:
            self.outcome.detected.append(waited)
        self._struck = None

    def _toggle(self, region: int, fault: Fault) -> None:
        if fault in self._active[region]:
            self._at(self._now + fault.half_period, "toggle", region, fault)
            self._measure()

    def _look(self, region: int, forced: Golden | None) -> None:
        """A round begins; what it sees is decided now, and known at its end."""
        if forced is None and self._leap():
            return
        if any(one.kind == "probe dead" for one in self._active[region]):
            self._at(self._now + INTERVAL, "look", region)
            return
        golden, version = self._seen(region)
        golden = forced or golden
        takes = INTERVAL / 2 if golden is Golden.FAILED and self.random.random() < 0.5 else 0.1  # noqa: PLR2004
        self._at(self._now + takes, "verdict", region, (self._now, golden, version))

    def _verdict(self, region: int, saw: tuple[float, Golden, str]) -> None:
        began, golden, version = saw
        policy, blind, was = self._policies[region], self._is_blind(region), self._policies[region].in_service
        peers = tuple(
            self._policies[one].peer
            for one in range(self._n)
            if one != region and not blind and self._now < self._fresh_until[one]
        )
        skew = sum(one.skew for one in self._active[region])
        wait = policy.fold(Observation(int((self._now + skew) * 1000), golden, version), peers, self._n - 1)
        if was and not policy.in_service:
            self.outcome.leavings[region].append(self._now)
            if self._struck and self._struck[0] == region:
                self._stop_waiting(found=True)
        # The clocks of the probe and of the API differ by some seconds where a clock is off at all.
        self._fresh_until[region] = self._now + _VALID + max(-5.0, min(5.0, skew))
        self._at(self._fresh_until[region], "stale", region)
        self._tell(region, tells=policy.in_service)
        self._at(max(began + wait, self._now), "look", region)

    def _stale(self, region: int, _: Any) -> None:
        if self._now >= self._fresh_until[region]:
            self._tell(region, tells=False)

    def _tell(self, region: int, *, tells: bool) -> None:
        """Route 53 sees a change at one of its checks, and callers see it when their resolvers ask again."""
        if tells != self._told[region]:
            self._told[region] = tells
            self.outcome.moves += 1
            seen = self._now + self.random.uniform(2.0, 15.0)
            for half in (0, 1):
                self._at(seen + _TTL * (0.25 + 0.5 * half), "named", region, (half, tells))

    def _named_(self, region: int, data: tuple[int, bool]) -> None:
        self._named[data[0]][region] = data[1]
        self._measure()

    def _scale(self, region: int, _: Any) -> None:
        need = self._load[region] * _SCALES_TO
        if need > self._capacity[region]:
            self._capacity[region] = need
            self._measure()

    def _shrink(self, region: int, _: Any) -> None:
        need = max(_HEADROOM / self._n, self._load[region] * _SCALES_TO)
        if need < self._capacity[region]:
            self._capacity[region] = need
            self._measure()

    # What is.

    def _at(self, when: float, kind: str, region: int, data: Any = None) -> None:
        heapq.heappush(self._queue, (when, next(self._number), "named_" if kind == "named" else kind, region, data))

    def _pass(self, now: float) -> None:
        self.outcome.lost += self._rate[0] * (now - self._now)
        self.outcome.late += self._rate[1] * (now - self._now)
        self._now = now

    def _measure(self) -> None:
        """Who asks where now, and what comes of it."""
        loads = [0.0] * self._n
        for named in self._named:
            for home in range(self._n):
                loads[self._chosen(named, home)] += 0.5 / self._n
        lost = late = 0.0
        for region, load in enumerate(loads):
            if load != self._load[region]:
                self._load[region] = load
                self._at(self._now + _SCALES_AFTER, "scale", region)
                self._at(self._now + _SHRINKS_AFTER, "shrink", region)
            fails, _, slow, wrong, _ = self._struck_by(region)
            lost += load * (1.0 if wrong else fails)
            late += load * (1 - fails) if slow and not wrong else 0.0
        self._rate = (lost, late)

    def _chosen(self, named: list[bool], home: int) -> int:
        """A caller's region: his own or the next that is named; where none is, Route 53 names all."""
        if not self._fails_over:
            return home
        return next((one % self._n for one in range(home, home + self._n) if named[one % self._n]), home)

    def _struck_by(self, region: int) -> tuple[float, float, bool, bool, str]:
        """Callers' and the probe's share of failures, slowness, wrongness, and the version."""
        passes, passes_probe, slow, wrong, version = 1.0 - _NOISE, 1.0 - _NOISE, False, False, "v0"
        for one in self._active[region]:
            if one.is_on(self._now):
                passes *= 1 - one.lost
                passes_probe *= 1 - one.seen
                slow, wrong, version = slow or one.slow, wrong or one.wrong, one.version or version
        pressure = self._load[region] / self._capacity[region]
        if pressure > 1:
            slow = True
            kept = min(1.0, _SHEDS_FROM / pressure)
            passes, passes_probe = passes * kept, passes_probe * kept
        return 1 - passes, 1 - passes_probe, slow, wrong, version

    def _seen(self, region: int) -> tuple[Golden, str]:
        """What a round of golden requests sees."""
        _, fails, slow, wrong, version = self._struck_by(region)
        if self._is_blind(region) or self.random.random() > (1 - fails) ** _REQUESTS:
            return Golden.FAILED, version
        return Golden.WRONG if wrong else Golden.SLOW if slow else Golden.RIGHT, version

    def _is_blind(self, region: int) -> bool:
        return any(one.kind == "probe blind" for one in self._active[region])

    def _leap(self) -> bool:
        """Leap to the next fault or noise where a good round of anybody would change nothing."""
        resting = (
            not any(self._active)
            and all(self._told)
            and all(map(all, self._named))
            and all(one.is_at_rest for one in self._policies)
            and max(one / two for one, two in zip(self._load, self._capacity, strict=True)) <= 1
        )
        if not resting:
            return False
        wait = self.random.expovariate(self._n * _REQUESTS * _NOISE / INTERVAL)
        until = min(self._now + wait, self._next_fault.begins)
        if until < self._now + 2 * INTERVAL:
            return False
        self._queue = [one for one in self._queue if one[2] in {"scale", "shrink"}]
        heapq.heapify(self._queue)
        for region in range(self._n):
            self._fresh_until[region] = until + _VALID
            self._at(until + self.random.uniform(0, INTERVAL), "look", region)
        if until < self._next_fault.begins:
            self._at(until, "look_once", self.random.randrange(self._n))
        return True

    def _look_once(self, region: int, _: Any) -> None:
        """Noise: one round fails, in place of the region's next."""
        self._queue = [one for one in self._queue if not (one[2] == "look" and one[3] == region)]
        heapq.heapify(self._queue)
        self._look(region, Golden.FAILED)
