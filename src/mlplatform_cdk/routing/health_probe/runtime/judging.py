"""What a round of golden requests says about the region. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlplatform_cdk.routing.health_probe.runtime.sending import Answer
from mlplatform_cdk.runtimekit.endpoint_errors import is_throttled
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest
from mlplatform_cdk.runtimekit.region_health import Golden, LatencyWindow

REQUESTS = 3  # so that a round's answers can be slow together, and a fault of some is met soon
_OK = 200
_TOO_MANY, _WRONG_REQUEST = 429, 400
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A version, as a variant of the endpoint serves it.

    :param version: the same text wherever the same model is served: the beginning of its archive's digest.
    :param label: how people call it.
    :param manifest: its manifest.
    """

    version: str
    label: str
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What the endpoint serves.

    :param variants: the version of each variant.
    :param main: the variant with the most of the traffic.
    """

    variants: Mapping[str, Served]
    main: str

    @property
    def live(self) -> Served:
        """The version with the most of the traffic."""
        return self.variants[self.main]


@dataclass(frozen=True, slots=True)
class Asked:
    """A golden request and its answer."""

    golden: GoldenRequest
    answer: Answer


@dataclass(frozen=True, slots=True)
class Judgement:
    """A round's outcome, of which version, and why."""

    golden: Golden
    served: Served
    reason: str = ""


def questions(manifest: Manifest, round_number: int) -> list[GoldenRequest]:
    """The requests of a round: the manifest's in turn, over the rounds."""
    every, first = manifest.golden_requests, round_number * REQUESTS
    return [every[(first + place) % len(every)] for place in range(REQUESTS)]


def judge(asked: Sequence[Asked], serving: Serving, window: LatencyWindow, bound_ms: float) -> Judgement:
    """What ``asked`` says: wrong answers before missing ones, and those before slow ones.

    During a release two versions answer, and each is judged by its own manifest: one that has no such question is
    judged by its time alone. An answer of a variant that is not known, since the endpoint was updated or SageMaker does
    not say what it serves, makes no round wrong or right: nobody knows what it should be.

    A request that a throttle refused says that the region has its load, and other regions' throttles are no wider: load
    that moves there is refused, too. So a round is slow where all are refused, which counts only while every region is
    well, and says nothing where some are.

    :param asked: the round.
    :param serving: what the endpoint serves.
    :param window: the times of the answers before.
    :param bound_ms: what 99 % of the answers must take at most.
    """
    came = [one for one in asked if one.answer.status == _OK]
    strangers = {one.answer.variant for one in came} - {"", *serving.variants}
    for one in () if strangers else came:
        served = serving.variants.get(one.answer.variant, serving.live)
        if problems := _problems(one, served, serving.live):
            return Judgement(Golden.WRONG, served, "; ".join(problems)[:_LONGEST])
    failed = [one.answer for one in asked if one.answer.status != _OK and not _is_refused(one.answer)]
    if failed:
        first = failed[0]
        said = first.problem or f"HTTP {first.status}: {first.body[:200].decode(errors='replace')}"
        return Judgement(Golden.FAILED, serving.live, f"{len(failed)} of {len(asked)} failed: {said}"[:_LONGEST])
    if strangers:
        reason = f"a variant answered that the endpoint was not known to have: {', '.join(sorted(strangers))}"
        return Judgement(Golden.UNKNOWN, serving.live, reason[:_LONGEST])
    refused = len(asked) - len(came)
    if refused:
        golden = Golden.SLOW if refused == len(asked) else Golden.UNKNOWN
        return Judgement(golden, serving.live, f"{refused} of {len(asked)} were refused as too many")
    times = [one.answer.latency_ms for one in asked]
    if window.add(times, bound_ms):
        reason = f"99 % of the answers must take {bound_ms:g} ms at most, the slowest took {max(times):.0f} ms"
        return Judgement(Golden.SLOW, serving.live, reason)
    return Judgement(Golden.RIGHT, serving.live)


def _is_refused(answer: Answer) -> bool:
    """Whether it was one too many, for the API's throttle or for SageMaker's."""
    return answer.status == _TOO_MANY or (answer.status == _WRONG_REQUEST and is_throttled(answer.body))


def _problems(asked: Asked, served: Served, live: Served) -> list[str]:
    golden: GoldenRequest | None = asked.golden
    if served is not live:
        own = served.manifest.golden_requests
        golden = next((one for one in own if one.inputs == asked.golden.inputs), None)
    if golden is None:
        return []
    try:
        return golden.check(json.loads(asked.answer.body))
    except ValueError:
        return [f"{golden.name}: the answer must be JSON, got {asked.answer.body[:80]!r}"]
