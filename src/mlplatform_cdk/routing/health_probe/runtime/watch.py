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
            claimed = self._claim(ends)
            while claimed is not None:
                state, drain = claimed
                began = self.steady_clock()
                state, verdict, then = self._round(state, drain)
                published += then is not None
                # Whoever drains the region, or lets it in again, sees that at once.
                wait = 0.0 if then is not None and bool(then) != bool(drain) else verdict.next_look_ms / 1000
                claimed, next_at = (state, drain if then is None else then), began + wait
                if next_at >= ends:
                    return published
                self.sleep(max(0.0, next_at - self.steady_clock()))
        except Superseded:
            _LOG.info("another run goes on", extra={"published": published})
        return published

    def _claim(self, ends: float) -> tuple[HealthState, Drain] | None:
        """Take the row; None where the table did not answer until the run's end.

        Later tries are still of the run's beginning, so that they take the row from no run that began after it.
        """
        since_ms = self._now_ms()
        while self.steady_clock() < ends:
            try:
                return self.row.claim(since_ms)
            except _failures() as problem:
                _LOG.error("the verdict's row could not be taken", extra={"problem": repr(problem)})
            self.sleep(self.core.rules.interval_ms / 4000)
        return None

    def _round(self, state: HealthState, drain: Drain) -> tuple[HealthState, Verdict, Drain | None]:
        """Ask, decide, publish; no drain where the table did not answer.

        A verdict that was not written is no metric either: ``/health`` goes stale by it, and so do the alarms.
        """
        saw = self.probe.round(state.round)
        now_ms = self._now_ms()
        own = Observation(now_ms, saw.golden, saw.version, saw.reason, bool(drain))
        after, verdict = self.core.fold(state, Evidence(own, saw.peers, saw.others))
        try:
            then = self.row.publish(after, verdict, label=saw.label)
        except _failures() as problem:
            _LOG.error("the verdict could not be written", extra={"problem": repr(problem)})
            return after, verdict, None
        self.tell(verdict, saw, now_ms)
        if (after.in_service, after.drained) != (state.in_service, state.drained):
            _LOG.warning(
                "the region's status has changed",
                extra={"status": verdict.status, "reason": verdict.reason, "drained_by": drain.by},
            )
        return after, verdict, then

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)


def _failures() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # an asset must boot without boto3

    return (BotoCoreError, ClientError)
