"""What the client knows of its regions, and which of them is asked next. One for all threads of a client."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.client.breaker import Breaker
from mlplatform_cdk.runtimekit.client.latency import Latency
from mlplatform_cdk.runtimekit.client.policy import Breaking

# The caller's own process decides what becomes of it.
_LOG = logging.getLogger("mlplatform.region-client")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionStatus:
    """What the client knows of a region now.

    :param region: its name.
    :param state: ``closed`` (in use), ``open`` (left alone), ``half-open`` (one call tries it), ``returning``,
        ``paused`` (it asked to be left alone) or ``out-of-service`` (its own verdict: its model is not well, or it was
        drained).
    :param share: the part of the calls that may begin there, were it the best.
    :param latency_s: seconds of the next answer, by those before; 0: none is known.
    """

    region: str
    state: str
    share: float
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to one attempt, given back by ``answered``, ``failed``, ``disputed`` or ``abandoned``.

    :param region: where.
    :param began: when.
    :param probe: whether it tries if the region is back.
    """

    region: str
    began: float
    probe: bool


class _Region:
    def __init__(self, order: tuple[int, int], breaker: Breaker) -> None:
        self.order, self.breaker, self.latency = order, breaker, Latency()
        self.paused_until = self.out_until = -float("inf")

    def share(self, now: float) -> float:
        return 0.0 if now < max(self.paused_until, self.out_until) else self.breaker.share(now)

    def state(self, now: float) -> str:
        if now < self.out_until:
            return "out-of-service"
        return "paused" if now < self.paused_until else self.breaker.state(now)


class Regions:
    """All regions of a client.

    :param names: in the order in which they are tried where nothing else is known.
    :param prefer: those that come first, in this order; all others by measured latency.
    :param rules: when a region is left alone.
    :param chance: a random number from 0 to 1.
    """

    def __init__(
        self, names: Sequence[str], *, prefer: Sequence[str], rules: Breaking, chance: Callable[[], float]
    ) -> None:
        self._chance, self._lock = chance, threading.Lock()
        self._regions: Mapping[str, _Region] = {
            name: _Region((prefer.index(name) if name in prefer else len(prefer), listed), Breaker(rules, chance))
            for listed, name in enumerate(names)
        }

    def first(self, now: float) -> Ticket | None:
        """Where a call begins: the best region, in so far as it is fully returned to; None: all are left alone."""
        with self._lock:
            able = self._able(now, ())
            for name in able:
                share = self._regions[name].share(now)
                if share == 1 or self._chance() < share:
                    return self._begin(name, now)
            return self._begin(max(able, key=lambda one: self._regions[one].share(now)), now) if able else None

    def next(self, now: float, tried: Collection[str], *, in_use: bool = False) -> Ticket | None:
        """Where a call goes on: the best region but ``tried``; None: none is left that is not left alone.

        :param now: the time.
        :param tried: regions that this call has asked.
        :param in_use: only a region that is in use, and needs no trying.
        """
        with self._lock:
            able = self._able(now, tried)
            if in_use:
                able = [name for name in able if self._regions[name].breaker.open_until is None]
            return self._begin(able[0], now) if able else None

    def refuge(self, now: float, tried: Collection[str]) -> Ticket | None:
        """A region that says that it is not in service, for a call that fails in all others; None: there is none."""
        with self._lock:
            for name, one in self._regions.items():
                if name not in tried and now < one.out_until and one.paused_until <= now and one.breaker.share(now) > 0:
                    return self._begin(name, now)
            return None

    def anyway(self, now: float, *, avoid: str = "") -> Ticket | float:
        """A region although all are left alone, since one of them must be asked; or when the first may be asked.

        That a region asked to be left alone is honoured all the same.

        :param now: the time.
        :param avoid: a region that comes last.
        """

        def order(name: str) -> tuple[float, bool, float]:
            one = self._regions[name]
            return max(one.paused_until, now), name == avoid, one.breaker.open_until or 0.0

        with self._lock:
            best = min(self._regions, key=order)
            asked_until = self._regions[best].paused_until
            return asked_until if asked_until > now else self._begin(best, now)

    def answered(self, ticket: Ticket, now: float, *, fully: bool) -> None:
        """The region answered; ``fully``: with what it was asked for, so that the time counts."""
        with self._lock:
            region = self._regions[ticket.region]
            if fully:
                region.latency.observe(now, now - ticket.began)
            before = region.breaker.open_until
            region.breaker.succeeded(now, began=ticket.began, probe=ticket.probe)
            if before is not None and region.breaker.open_until is None:
                _LOG.info("region %s answers again; it is returned to", ticket.region)

    def failed(self, ticket: Ticket, now: float, *, why: str, pause_s: float = 0.0) -> None:
        """The region did not answer, or refused; it asked to be left alone for ``pause_s``."""
        with self._lock:
            region = self._regions[ticket.region]
            region.latency.at_least(now, now - ticket.began)
            if pause_s:
                region.paused_until = max(region.paused_until, now + pause_s)
            self._blame(ticket, now, why)

    def disputed(self, ticket: Ticket, now: float, *, why: str, at_fault: bool) -> None:
        """The region refused; ``at_fault``: what another one did not refuse. Its time says nothing."""
        with self._lock:
            if at_fault:
                self._blame(ticket, now, why)
            else:
                self._regions[ticket.region].breaker.abandoned(now, probe=ticket.probe)

    def _blame(self, ticket: Ticket, now: float, why: str) -> None:
        breaker = self._regions[ticket.region].breaker
        before = breaker.open_until
        breaker.failed(now, began=ticket.began, probe=ticket.probe)
        if before is None and breaker.open_until is not None:
            _LOG.warning("region %s is left alone, since it failed too often; the last time it %s", ticket.region, why)

    def abandoned(self, ticket: Ticket, now: float) -> None:
        """Nobody waited for the region's answer."""
        with self._lock:
            region = self._regions[ticket.region]
            region.latency.at_least(now, now - ticket.began)
            region.breaker.abandoned(now, probe=ticket.probe)

    def published(self, name: str, now: float, *, in_service: bool, until: float) -> None:
        """The region's own verdict, which counts until ``until``."""
        with self._lock:
            region = self._regions[name]
            was_out = now < region.out_until
            region.out_until = -float("inf") if in_service else until
            if was_out and in_service:
                region.breaker.restart(now)
                _LOG.info("region %s is in service again; it is returned to", name)
            elif not was_out and not in_service:
                _LOG.warning("region %s is left alone, since it says that it is not in service", name)

    def quantile(self, region: str, part: float) -> float | None:
        """Seconds within which ``part`` of the region's last answers came; None: too few are known."""
        with self._lock:
            return self._regions[region].latency.quantile(part)

    def status(self, now: float) -> tuple[RegionStatus, ...]:
        """What is known now, the best region first."""
        with self._lock:
            return tuple(
                RegionStatus(
                    region=name,
                    state=one.state(now),
                    share=one.share(now),
                    latency_s=one.latency.estimate(now),
                )
                for name, one in sorted(self._regions.items(), key=lambda item: self._rank(item[1], now))
            )

    def _able(self, now: float, tried: Collection[str]) -> list[str]:
        able = [name for name, one in self._regions.items() if name not in tried and one.share(now) > 0]
        return sorted(able, key=lambda name: self._rank(self._regions[name], now))

    @staticmethod
    def _rank(region: _Region, now: float) -> tuple[int, float, int]:
        preferred, listed = region.order
        return preferred, region.latency.estimate(now), listed

    def _begin(self, name: str, now: float) -> Ticket:
        return Ticket(region=name, began=now, probe=self._regions[name].breaker.begin(now))
