"""One round: what is served, what it answers, and what the other regions say of themselves."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from mlplatform_cdk.routing.health_probe.runtime.judging import Asked, Judgement, Served, Serving, judge, questions
from mlplatform_cdk.routing.health_probe.runtime.sending import Authorize, Sender
from mlplatform_cdk.routing.health_probe.runtime.tokens import Tokens
from mlplatform_cdk.routing.health_probe.runtime.versions import NothingServed, Versions
from mlplatform_cdk.runtimekit import logs, own_requests
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.region_health import Golden, LatencyWindow, Peer

_LOG = logs.logger("region-probe")
_NOT_LET_IN = (401, 403)
INFERENCE_ID = "x-amzn-sagemaker-inference-id"


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
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=24))
    _known: tuple[str, Serving] | None = None

    def round(self, number: int) -> Round:
        """Ask everybody at once; the whole takes about as long as the slowest of them, and ``timeout_ms`` at most.

        :param number: of the round, by which the questions change.
        """
        reads = {self._pool.submit(self._read, region, url): region for region, url in self.others().items()}
        try:
            saw = self._see(number)
        except NothingServed as nothing:
            saw = Round(golden=Golden.FAILED, reason=str(nothing))
        except _failures() as problem:
            saw = Round(golden=Golden.UNKNOWN, reason=_said(problem))
        return replace(saw, peers=self._gathered(reads), others=len(reads))

    def _see(self, number: int) -> Round:
        configuration, serving = self._look()
        asked = self._ask(number, serving)
        bound = serving.live.manifest.latency_budget_ms + self.overhead_ms
        judgement = judge(asked, serving, self._window, min(bound, self.timeout_ms))
        if judgement.golden is Golden.WRONG:
            judgement = self._unless_changed(configuration, judgement)
        return Round(
            golden=judgement.golden,
            version=judgement.served.version,
            label=judgement.served.label,
            reason=judgement.reason,
            latencies_ms=tuple(one.answer.latency_ms for one in asked),
        )

    def _look(self) -> tuple[str, Serving]:
        """What is served now; where SageMaker's control plane says nothing, what was served before."""
        looking = self._pool.submit(self.versions.look)
        try:
            self._known = looking.result(timeout=self._seconds)
        except _failures() as problem:
            if isinstance(problem, NothingServed) or self._known is None:
                raise
            _LOG.warning("what is served is not known, the last is taken", extra={"problem": _said(problem)})
        assert self._known is not None
        return self._known

    def _ask(self, number: int, serving: Serving) -> list[Asked]:
        def ask(golden: Any) -> Asked:
            body = json.dumps(golden.body()).encode()
            mark = {INFERENCE_ID: own_requests.new_id()}  # no release takes it for a caller's, and replays it
            url = f"{self.url}/invocations"
            return Asked(golden, self.sender.send("POST", url, body, authorize=self.authorize, more=mark))

        asked = list(self._pool.map(ask, questions(serving.live.manifest, number)))
        if isinstance(self.authorize, Tokens) and any(one.answer.status in _NOT_LET_IN for one in asked):
            self.authorize.refused()
        return asked

    def _unless_changed(self, configuration: str, judgement: Judgement) -> Judgement:
        """A wrong answer says nothing where the endpoint was given another version while it was asked."""
        looking = self._pool.submit(self.versions.look)
        try:
            after, _ = looking.result(timeout=self._seconds)
        except _failures():
            return judgement
        if after == configuration:
            return judgement
        served: Served = judgement.served
        return Judgement(Golden.UNKNOWN, served, "the endpoint was updated while it was asked")

    def _read(self, region: str, url: str) -> Peer | None:
        answer = self.sender.send("GET", f"{url}/health")
        try:
            return Peer.from_body(region, json.loads(answer.body)) if answer.body else None
        except ValueError:
            return None  # stale, or not a verdict at all: it is as if there were none

    def _gathered(self, reads: Mapping[Future[Peer | None], str]) -> tuple[Peer, ...]:
        found = []
        try:
            for one in as_completed(reads, timeout=self._seconds):
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
