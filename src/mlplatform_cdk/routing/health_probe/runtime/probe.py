"""One round: what is served, what it answers, and what the other regions say of themselves."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from mlplatform_cdk.routing.health_probe.runtime.asking import Asker, Asking
from mlplatform_cdk.routing.health_probe.runtime.judging import Judgement, Serving, judge, questions
from mlplatform_cdk.routing.health_probe.runtime.sending import Authorize, Sender
from mlplatform_cdk.routing.health_probe.runtime.tokens import Tokens
from mlplatform_cdk.routing.health_probe.runtime.versions import NothingServed, Versions
from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.region_health import Golden, LatencyWindow, Peer

_LOG = logs.logger("region-probe")
_NOT_LET_IN = (401, 403)
_NOT_HEARD = "SageMaker did not say whether the endpoint was updated"
_WORKERS = 64  # a request that hangs keeps its thread into the next round, or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round saw.

    :param golden: what came of it.
    :param version: which version it is about.
    :param label: how people call that.
    :param reason: what was wrong.
    :param peers: what could be read of the other regions.
    :param others: how many other regions there are.
    :param latencies_ms: of the answers.
    """

    golden: Golden
    version: str = ""
    label: str = ""
    reason: str = ""
    peers: tuple[Peer, ...] = ()
    others: int = 0
    latencies_ms: tuple[float, ...] = ()


@dataclass(slots=True, kw_only=True)
class Probe:
    """Asks the region and its peers.

    :param url: of the region's own API, without a slash at the end.
    :param others: gives the address of every other region's API, by region.
    :param authorize: lets a golden request in.
    :param sender: sends.
    :param versions: knows what is served.
    :param overhead_ms: what the way through the API takes, which the manifest's budget does not hold.
    :param timeout_ms: how long a round may take.
    """

    url: str
    others: Callable[[], Mapping[str, str]]
    authorize: Authorize
    sender: Sender
    versions: Versions
    overhead_ms: float
    timeout_ms: int
    _window: LatencyWindow = field(default_factory=LatencyWindow)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=_WORKERS))
    _known: tuple[str, Serving] | None = None
    _looking: Future[tuple[str, Serving]] | None = None

    def round(self, number: int) -> Round:
        """Ask everybody at once; the whole takes about as long as the slowest of them, and ``timeout_ms`` at most.

        It takes longer in three cases only: by a quarter after a wrong answer; by as long as it took to learn that the
        endpoint serves something else than in the round before, half of ``timeout_ms`` at most; and once in each
        process, which has to learn what is served before it can ask.

        :param number: of the round, by which the questions change.
        """
        ends = time.monotonic() + self._seconds
        reads = {self._pool.submit(self._read, region, url): region for region, url in self.others().items()}
        try:
            saw = self._see(number, ends)
        except NothingServed as nothing:
            saw = Round(golden=Golden.FAILED, reason=str(nothing))
        except _failures() as problem:
            saw = Round(golden=Golden.UNKNOWN, reason=_said(problem))
        return replace(saw, peers=self._gathered(reads, ends), others=len(reads))

    def _see(self, number: int, ends: float) -> Round:
        configuration, serving, asking = self._look_and_ask(number)
        asked = asking.over(self._seconds)
        if isinstance(self.authorize, Tokens) and any(one.answer.status in _NOT_LET_IN for one in asked):
            self.authorize.refused()
        bound = serving.live.manifest.latency_budget_ms + self.overhead_ms
        judgement = judge(asked, serving, self._window, min(bound, self.timeout_ms))
        if judgement.golden is Golden.WRONG:
            judgement = self._unless_changed(configuration, judgement, ends)
        return Round(
            golden=judgement.golden,
            version=judgement.served.version,
            label=judgement.served.label,
            reason=judgement.reason,
            latencies_ms=tuple(one.answer.latency_ms for one in asked),
        )

    def _look_and_ask(self, number: int) -> tuple[str, Serving, Asking]:
        """Ask for what was served in the round before, and look beside it whether that is still so.

        So a control plane that hangs takes no time from the requests, and makes no round longer.
        """
        known = self._known
        asking = self._ask(number, known[1]) if known else None
        latest = self._look()
        if asking is None or known is None or (latest[0], latest[1].main) != (known[0], known[1].main):
            asking = self._ask(number, latest[1])
        return *latest, asking

    def _ask(self, number: int, serving: Serving) -> Asking:
        asker = Asker(url=self.url, authorize=self.authorize, sender=self.sender, pool=self._pool)
        return asker.ask(questions(serving.live.manifest, number))

    def _look(self) -> tuple[str, Serving]:
        """What is served now; where SageMaker's control plane says nothing, what was served before."""
        known = self._known
        try:
            return self._looking_now().result(timeout=self._seconds / (1 if known is None else 2))
        except _failures() as problem:
            if isinstance(problem, NothingServed) or known is None:
                raise
            _LOG.warning("what is served is not known, the last is taken", extra={"problem": _said(problem)})
        return known

    def _looking_now(self) -> Future[tuple[str, Serving]]:
        """The look that still runs, or a new one: each that hangs keeps a thread, so there is one at a time."""
        if self._looking is None or self._looking.done():
            self._looking = self._pool.submit(self._learn)
        return self._looking

    def _learn(self) -> tuple[str, Serving]:
        """Look, and keep what was seen even if the round is over by then."""
        self._known = found = self.versions.look()
        return found

    def _unless_changed(self, configuration: str, judgement: Judgement, ends: float) -> Judgement:
        """A wrong answer says nothing where the endpoint was given another version, or may have been."""
        not_heard = replace(judgement, golden=Golden.UNKNOWN, reason=f"{_NOT_HEARD}: {judgement.reason}")
        if self._looking is not None and not self._looking.done():
            return not_heard  # it began before the answers came
        try:
            after, _ = self._looking_now().result(timeout=max(ends - time.monotonic(), self._seconds / 4))
        except _failures():
            return not_heard
        if after == configuration:
            return judgement
        return replace(judgement, golden=Golden.UNKNOWN, reason="the endpoint was updated while it was asked")

    def _read(self, region: str, url: str) -> Peer | None:
        answer = self.sender.send("GET", f"{url}/health")
        try:
            return Peer.from_body(region, json.loads(answer.body)) if answer.body else None
        except ValueError:
            return None  # stale, or not a verdict at all: it is as if there were none

    def _gathered(self, reads: Mapping[Future[Peer | None], str], ends: float) -> tuple[Peer, ...]:
        found = []
        try:
            for one in as_completed(reads, timeout=max(0.0, ends - time.monotonic())):
                peer = one.result()
                if peer is not None:
                    found.append(peer)
        except TimeoutError:
            _LOG.info("not every region could be read")
        return tuple(sorted(found))

    @property
    def _seconds(self) -> float:
        return self.timeout_ms / 1000


def _failures() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # an asset must boot without boto3

    return (KnownError, TimeoutError, BotoCoreError, ClientError)


def _said(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}"[:300]
