"""Rounds, one after the other, until the time is over or another run has taken over."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mlplatform_cdk.routing.health_probe.runtime.probe import Round
from mlplatform_cdk.routing.health_probe.runtime.row import Drain, Superseded
from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.region_health import (
    Evidence,
    HealthState,
    Observation,
    RegionHealth,
    Verdict,
)

_LOG = logs.logger("region-probe")


class Asks(Protocol):
    """What asks the region; see ``Probe``."""

    def round(self, number: int) -> Round:
        """What a round sees."""


class Row(Protocol):
    """Where the verdict goes; see ``VerdictRow``."""

    def claim(self, now_ms: int) -> tuple[HealthState, Drain]:
        """Take the row."""

    def publish(self, state: HealthState, verdict: Verdict, *, label: str) -> Drain:
        """Write a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The loop of one run.

    :param probe: asks.
    :param row: keeps.
    :param core: decides.
    :param tell: takes each round's verdict and answers' times, for the metrics.
    :param clock: the time since 1970, in seconds; default: this machine's.
    :param steady_clock: seconds that never go back; default: this machine's.
    :param sleep: waits; default: really.
    """

    probe: Asks
    row: Row
    core: RegionHealth
    tell: Callable[[Verdict, Round, int], None]
    clock: Callable[[], float] = time.time
    steady_clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def run(self, lasts_s: float) -> int:
        """How many verdicts were published within ``lasts_s`` seconds, or until another run has taken over."""
        ends, published = self.steady_clock() + lasts_s, 0
        try:
            state, drain = self.row.claim(self._now_ms())
            while True:
                began = self.steady_clock()
                state, verdict, then = self._round(state, drain)
                published += 1
                # Whoever drains the region, or lets it in again, sees that at once.
                wait = 0.0 if bool(then) != bool(drain) else verdict.next_look_ms / 1000
                drain, next_at = then, began + wait
                if next_at >= ends:
                    return published
                self.sleep(max(0.0, next_at - self.steady_clock()))
        except Superseded:
            _LOG.info("another run goes on", extra={"published": published})
        return published

    def _round(self, state: HealthState, drain: Drain) -> tuple[HealthState, Verdict, Drain]:
        saw = self.probe.round(state.round)
        now_ms = self._now_ms()
        own = Observation(now_ms, saw.golden, saw.version, saw.reason, bool(drain))
        after, verdict = self.core.fold(state, Evidence(own, saw.peers, saw.others))
        then = self.row.publish(after, verdict, label=saw.label)
        self.tell(verdict, saw, now_ms)
        if (after.in_service, after.drained) != (state.in_service, state.drained):
            _LOG.warning(
                "the region's status has changed",
                extra={"status": verdict.status, "reason": verdict.reason, "drained_by": drain.by},
            )
        return after, verdict, then

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)
