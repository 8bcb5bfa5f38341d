"""What the regions publish of themselves at ``/health``: a client that asks them by name is not led by Route 53.

A region that was drained, or whose model answers wrongly, answers calls as if nothing was: only its probe's verdict
says so. The client looks while calls are made, with no thread of its own.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.client.policy import Limits, Watching
from mlplatform_cdk.runtimekit.client.regions import Regions
from mlplatform_cdk.runtimekit.client.wire import Exchange, Fault, Reply, Request, Wire

# As Route 53 looks for it: no other status holds these letters.
IN_SERVICE = b'"in-service"'
_OUT = 503
_COUNTS_FOR = 3  # looks


@dataclass(frozen=True, slots=True)
class _Look:
    exchange: Exchange
    at: float  # from when on a verdict counts: nobody may have taken it in for long
    until: float


class Verdicts:
    """Looks at every region's ``/health`` now and then.

    :param wire: where requests go out.
    :param urls: region to the URL of its ``/health``.
    :param rules: how often.
    :param limits: of one look, which are those of an attempt.
    :param regions: who is told.
    """

    def __init__(
        self, *, wire: Wire, urls: Mapping[str, str], rules: Watching, limits: Limits, regions: Regions
    ) -> None:
        self._wire, self._urls, self._rules, self._limits, self._regions = wire, urls, rules, limits, regions
        self._lock = threading.Lock()
        self._looks: dict[str, _Look] = {}
        self._due = self._heard = -float("inf")
        self._patient_until = -float("inf")

    def consult(self, deadline: float) -> None:
        """Take in what was published, and look again where that is due; where nothing is known, wait for it a little.

        :param deadline: until when a call may wait at most.
        """
        with self._lock:
            now = self._wire.now()
            self._take_in(now)
            if now >= self._due:
                if now - self._heard > self._rules.every_s * _COUNTS_FOR:
                    self._patient_until = now + self._rules.wait_s
                self._look(now)
            until = min(self._patient_until, deadline)
            waiting = [one.exchange for one in self._looks.values()] if now < until else []
        while waiting and (now := self._wire.now()) < until:
            self._wire.wait(waiting, until - now)
            waiting = [one for one in waiting if one.outcome() is None]
        with self._lock:
            self._take_in(self._wire.now())

    def _look(self, now: float) -> None:
        self._due = now + self._rules.every_s
        for region, url in self._urls.items():
            if region not in self._looks:
                request = Request(method="GET", url=url, headers={"Accept": "application/json"}, body=b"")
                limits = self._limits
                exchange = self._wire.start(request, connect_s=limits.connect_s, attempt_s=limits.attempt_s)
                self._looks[region] = _Look(exchange, now, now + limits.attempt_s)

    def _take_in(self, now: float) -> None:
        for region, look in [*self._looks.items()]:
            outcome = look.exchange.outcome()
            if outcome is not None:
                del self._looks[region]
                self._heard = max(self._heard, look.at)
                said, until = _said(outcome), look.at + self._rules.every_s * _COUNTS_FOR
                if said is not None and now < until:
                    self._regions.published(region, now, in_service=said, until=until)
            elif now >= look.until:
                del self._looks[region]
                look.exchange.cancel()


def _said(outcome: Reply | Fault) -> bool | None:
    """Whether the region says that it is in service; None: it says neither, so that calls alone tell."""
    if isinstance(outcome, Reply) and outcome.status == 200:  # noqa: PLR2004 -- HTTP's OK
        return IN_SERVICE in outcome.body
    return False if isinstance(outcome, Reply) and outcome.status == _OUT else None
