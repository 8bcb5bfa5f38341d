"""One call from its first attempt to its answer: a small loop in the caller's thread over what is under way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlplatform_cdk.runtimekit.client import answers
from mlplatform_cdk.runtimekit.client.answers import Answer, Attempt, CallFailed, CallRefused
from mlplatform_cdk.runtimekit.client.authorization import Authorization
from mlplatform_cdk.runtimekit.client.budget import Budget
from mlplatform_cdk.runtimekit.client.policy import Hedging, Limits, Retries
from mlplatform_cdk.runtimekit.client.refusals import Refusals
from mlplatform_cdk.runtimekit.client.regions import Regions, Ticket
from mlplatform_cdk.runtimekit.client.verdicts import Verdicts
from mlplatform_cdk.runtimekit.client.wire import Exchange, Fault, Reply, Request, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all calls of a client share."""

    urls: Mapping[str, str]
    authorization: Authorization
    wire: Wire
    regions: Regions
    limits: Limits
    retries: Retries
    hedging: Hedging | None
    retry_budget: Budget
    hedge_budget: Budget
    verdicts: Verdicts | None


@dataclass(slots=True, kw_only=True)
class _Running:
    ticket: Ticket
    exchange: Exchange
    until: float
    hedge: bool


@dataclass(slots=True, kw_only=True)
class Call:
    """One call.

    :param shared: what all calls of the client share.
    :param headers: of each attempt.
    :param body: of each attempt.
    :param key: the idempotency key.
    :param idempotent: whether the request may be processed twice.
    :param deadline: when the caller stops waiting, by the wire's clock.
    """

    shared: Shared
    headers: Mapping[str, str]
    body: bytes
    key: str
    idempotent: bool
    deadline: float
    _running: list[_Running] = field(default_factory=list)
    _done: list[Attempt] = field(default_factory=list)
    _tried: set[str] = field(default_factory=set)
    _started: int = 0
    _rounds: int = 0
    _rest_s: float | None = None
    _hedge_at: float | None = None
    _refusals: Refusals = field(default_factory=Refusals)

    def run(self) -> Answer:
        """Make attempts until one is answered.

        :raises CallRefused: when a region says that the request is wrong, and no other may know better.
        :raises CallFailed: when none answers, within what a call may spend.
        """
        self.shared.hedge_budget.earn()
        if self.shared.verdicts is not None:
            self.shared.verdicts.consult((self._now() + self.deadline) / 2)
        try:
            self._start(self.shared.regions.first(self._now()) or self._anyway())
            self._plan_hedge()
            while True:
                waking = min([one.until for one in self._running] + [self._hedge_at or self.deadline])
                self.shared.wire.wait([one.exchange for one in self._running], max(0.0, waking - self._now()))
                for one in [*self._running]:
                    answer = self._settle(one)
                    if answer is not None:
                        return answer
                if not self._running:
                    self._again()
                elif self._hedge_at is not None and self._now() >= self._hedge_at:
                    self._hedge()
        finally:
            for one in self._running:
                one.exchange.cancel()
                self.shared.regions.abandoned(one.ticket, self._now())
            self._refusals.drop(self.shared.regions, self._now())

    def _start(self, ticket: Ticket, *, hedge: bool = False) -> None:
        shared = self.shared
        request = Request(url=shared.urls[ticket.region], headers=self.headers, body=self.body)
        attempt_s = max(0.0, min(shared.limits.attempt_s, self.deadline - self._now()))
        try:
            headers = shared.authorization.headers(request, ticket.region)
            signed = Request(url=request.url, headers=headers, body=request.body)
            exchange = shared.wire.start(signed, connect_s=min(shared.limits.connect_s, attempt_s), attempt_s=attempt_s)
        except BaseException:
            shared.regions.abandoned(ticket, self._now())
            raise
        self._tried.add(ticket.region)
        self._started += 1
        self._running.append(_Running(ticket=ticket, exchange=exchange, until=self._now() + attempt_s, hedge=hedge))

    def _settle(self, one: _Running) -> Answer | None:
        """Take in what became of an attempt; None: it still runs, or did not bring the answer."""
        outcome, now = one.exchange.outcome(), self._now()
        if outcome is None:
            if now < one.until:
                return None
            one.exchange.cancel()
            outcome = Fault(what="did not answer", sent=True)
        self._running.remove(one)
        self._done.append(self._attempt(one, answers.said(outcome)))
        if not isinstance(outcome, Reply) or answers.is_passing(outcome):
            self._failed(one, outcome)
        elif answers.may_differ(outcome) or (one.hedge and self._running and not answers.is_fine(outcome)):
            self._refusals.add(one.ticket, outcome)  # whoever was asked first may still answer
        else:
            return self._answered(one, outcome)
        return None

    def _answered(self, one: _Running, reply: Reply) -> Answer:
        fine = answers.is_fine(reply)
        self.shared.regions.answered(one.ticket, self._now(), fully=fine)
        self._refusals.contradicted(self.shared.regions, self._now(), answered=fine)
        self._done += [self._attempt(other, "was not waited for") for other in self._running]
        if not fine:
            raise CallRefused(reply, one.ticket.region, self._done)
        self.shared.retry_budget.earn()
        if one.hedge:
            self._overtaken()
        return Answer(
            body=reply.body,
            content_type=reply.headers.get("content-type", ""),
            region=one.ticket.region,
            request_id=answers.request_id(reply),
            idempotency_key=self.key,
            attempts=tuple(self._done),
            headers=reply.headers,
        )

    def _overtaken(self) -> None:
        """A region that loses again and again to one that is asked later hangs, or might as well."""
        for other in self._running:
            other.exchange.cancel()
            self.shared.regions.failed(other.ticket, self._now(), why="was overtaken by another")
        self._running.clear()

    def _failed(self, one: _Running, outcome: Reply | Fault) -> None:
        regions, now = self.shared.regions, self._now()
        elapsed = now - one.ticket.began
        if isinstance(outcome, Reply) and outcome.status == answers.RUNNING:
            regions.answered(one.ticket, now, fully=False)  # the region is well; one key has to wait
            self._rest_s = answers.pause_s(outcome) or None
            unsafe = True
        elif isinstance(outcome, Reply):
            regions.failed(one.ticket, now, why=answers.said(outcome), pause_s=answers.pause_s(outcome))
            unsafe = answers.is_processed(outcome)
        else:
            if elapsed < self.shared.limits.attempt_s and now >= self.deadline and self._impatient(one, elapsed):
                regions.abandoned(one.ticket, now)
            else:
                regions.failed(one.ticket, now, why=outcome.what)
            unsafe = outcome.sent
        if unsafe and not self.idempotent:
            raise self._given_up("the request may have been processed, and is not marked idempotent")

    def _impatient(self, one: _Running, elapsed: float) -> bool:
        """Whether the caller's deadline left the region less time than its answers usually take."""
        usual = self.shared.regions.quantile(one.ticket.region, 0.95)
        return usual is not None and elapsed < usual

    def _again(self) -> None:
        """Start the next attempt, at once in a region that was not asked, else after a pause."""
        shared = self.shared
        if self._refusals.are_final or self._refusals.by == {*shared.urls}:
            raise self._refusals.error(self.shared.regions, self._now(), self._done)
        if self._rest_s is not None:
            # The request runs already: to ask whether it is done is no attempt, and its region knows it first.
            self._sleep(self._rest_s)
            self._rest_s = None
            self._started -= 1
            self._tried = self._refusals.by
        if self._started >= shared.retries.attempts:
            raise self._given_up(f"a call makes at most {shared.retries.attempts} attempts")
        if self._now() >= self.deadline:
            raise self._given_up("the deadline is over")
        if not shared.retry_budget.take():
            raise self._given_up("the retry budget is used up")
        ticket = shared.regions.next(self._now(), self._tried)
        if ticket is None and self._rounds:
            ticket = shared.regions.refuge(self._now(), self._tried)
        if ticket is None:
            longest = min(shared.retries.cap_s, shared.retries.base_s * 2**self._rounds)
            one_before = self._done[-1].region
            self._sleep(shared.wire.chance() * longest)
            self._rounds += 1
            self._tried = self._refusals.by
            ticket = shared.regions.next(self._now(), self._tried) or self._anyway(avoid=one_before)
        self._start(ticket)

    def _anyway(self, avoid: str = "") -> Ticket:
        while isinstance(found := self.shared.regions.anyway(self._now(), avoid=avoid), float):
            self._sleep(found - self._now(), why="every region asks to be left alone until then")
        return found

    def _sleep(self, seconds: float, *, why: str = "") -> None:
        if self._now() + seconds >= self.deadline:
            raise self._given_up("the deadline comes before the next attempt" + (f", and {why}" if why else ""))
        self.shared.wire.wait((), seconds)

    def _plan_hedge(self) -> None:
        hedging, (one,) = self.shared.hedging, self._running
        if hedging is not None and self.idempotent:
            usual = self.shared.regions.quantile(one.ticket.region, hedging.quantile)
            self._hedge_at = None if usual is None else one.ticket.began + max(hedging.least_s, usual)

    def _hedge(self) -> None:
        self._hedge_at = None
        if self._started < self.shared.retries.attempts and self._now() < self.deadline:
            ticket = self.shared.regions.next(self._now(), self._tried, in_use=True)
            if ticket is not None and self.shared.hedge_budget.take():
                self._start(ticket, hedge=True)

    def _attempt(self, one: _Running, outcome: str) -> Attempt:
        seconds = self._now() - one.ticket.began
        return Attempt(region=one.ticket.region, outcome=outcome, seconds=seconds, hedge=one.hedge)

    def _given_up(self, reason: str) -> CallFailed | CallRefused:
        if self._refusals and len(self._refusals) == len(self._done):
            return self._refusals.error(self.shared.regions, self._now(), self._done)
        return CallFailed(f"given up, since {reason}", self._done, self.key)

    def _now(self) -> float:
        return self.shared.wire.now()
