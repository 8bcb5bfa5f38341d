"""Regions that probe themselves, each by a clock of its own, at its own moments: for claims about all of them."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from mlplatform_cdk.runtimekit.region_health import (
    Evidence,
    Golden,
    HealthRules,
    HealthState,
    Observation,
    Peer,
    RegionHealth,
    Verdict,
)

# What a region's model does at a moment of the world: what a round sees, and which version answers.
Truth = Callable[[str, int], tuple[Golden, str]]
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
BEGAN = 500_000 * HOUR  # by the regions' clocks, when the world began
RESTED = HealthState(round=100, at_ms=BEGAN, well=True, good_in_a_row=100, in_service=True)


@dataclass(frozen=True)
class Change:
    """A published status other than the one before."""

    at_ms: int
    region: str
    status: str


@dataclass
class World:
    """A few regions; time is the world's, in milliseconds, and each region's clock is off by its own error."""

    regions: tuple[str, ...]
    truth: Truth
    rules: HealthRules = field(default_factory=HealthRules)
    takes_ms: Callable[[str, int], int] = lambda _region, _at: 100
    clock_error_ms: Callable[[str, int], int] = lambda _region, _at: 0
    drained: Callable[[str, int], bool] = lambda _region, _at: False
    first_round_ms: dict[str, int] = field(default_factory=dict)
    states: dict[str, HealthState] = field(default_factory=dict)
    published: dict[str, tuple[int, Verdict]] = field(default_factory=dict)
    log: list[tuple[int, str, Verdict]] = field(default_factory=list)

    def run(self, until_ms: int) -> list[Change]:
        """All changes of a published status up to then."""
        core, number, changes = RegionHealth(self.rules), count(), list[Change]()
        # Each entry: when, a number against ties, whose, and, at a round's end, when it began and what it saw.
        queue: list[tuple[int, int, str, int, tuple[Golden, str] | None]] = [
            (self.first_round_ms.get(name, 0), next(number), name, 0, None) for name in self.regions
        ]
        heapq.heapify(queue)
        while queue and queue[0][0] <= until_ms:
            now, _, region, began, saw = heapq.heappop(queue)
            if saw is None:
                ends = now + self.takes_ms(region, now)
                heapq.heappush(queue, (ends, next(number), region, now, self.truth(region, now)))
                continue
            verdict = self._end(core, region, now, *saw)
            if verdict.status != self._status_before(region):
                changes.append(Change(now, region, verdict.status))
            self.published[region] = (now, verdict)
            self.log.append((now, region, verdict))
            heapq.heappush(queue, (max(began + verdict.next_look_ms, now), next(number), region, 0, None))
        return changes

    def _end(self, core: RegionHealth, region: str, now: int, golden: Golden, version: str) -> Verdict:
        peers = tuple(
            Peer.from_body(name, verdict.body())
            for name, (at, verdict) in sorted(self.published.items())
            if name != region and now - at < self.rules.valid_for_ms
        )
        own = Observation(
            BEGAN + now + self.clock_error_ms(region, now), golden, version, drained=self.drained(region, now)
        )
        before = self.states.get(region, RESTED)
        self.states[region], verdict = core.fold(before, Evidence(own, peers, len(self.regions) - 1))
        return verdict

    def _status_before(self, region: str) -> str:
        return self.published[region][1].status if region in self.published else "in-service"


def leavings(changes: list[Change], region: str) -> list[int]:
    """When the region left service."""
    return [one.at_ms for one in changes if one.region == region and one.status == "out-of-service"]


def most_in_an_hour(moments: list[int]) -> int:
    """The most of ``moments`` that lie within any hour."""
    return max((sum(one <= other <= one + HOUR for other in moments) for one in moments), default=0)
