"""What a call comes to: an answer, or one sentence that says what was tried."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mlplatform_cdk.runtimekit import endpoint_errors
from mlplatform_cdk.runtimekit.client.wire import Fault, Reply
from mlplatform_cdk.runtimekit.errors import KnownError

THROTTLED = 429
# With Retry-After: a function of features says that another request with the same idempotency key still runs.
RUNNING = 409
# 530: SageMaker's InternalDependencyException, by botocore's model of sagemaker-runtime.
RETRIED = frozenset({THROTTLED, 500, 502, 503, 504, 530})
_MODEL_ERROR = 424
_WRONG = 400
# Who may ask, and what there is, each region decides for itself: its authorizer, its API's role, its web ACL, a custom
# domain whose API is gone. What API Gateway answers by itself, and with which status:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
_DIFFERS = frozenset({401, 403, 404})
LONGEST_PAUSE_S = 300.0
_SERVERS_OWN = 500
_SAID = 200  # characters of a refusal that are repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request of a call.

    :param region: that was asked.
    :param outcome: what it did, such as ``answered 200`` or ``refused the connection``.
    :param seconds: that it took.
    :param hedge: whether it was sent beside another that was slow.
    """

    region: str
    outcome: str
    seconds: float
    hedge: bool = False

    def __str__(self) -> str:
        """As an error names it."""
        return f"{self.region} {self.outcome} ({self.seconds:.3g} s{', hedge' if self.hedge else ''})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a region answered.

    :param body: the answer.
    :param content_type: of the answer.
    :param region: which answered.
    :param request_id: as AWS's logs name the request; empty: the answer carried none.
    :param idempotency_key: that all attempts of the call carried.
    :param attempts: all that was tried, in order.
    :param headers: of the answer, by names in lower case.
    """

    body: bytes
    content_type: str
    region: str
    request_id: str
    idempotency_key: str
    attempts: tuple[Attempt, ...]
    headers: Mapping[str, str]


class CallFailed(KnownError):
    """No region answered.

    :param reason: why it was not tried again.
    :param attempts: all that was tried, in order.
    :param idempotency_key: with which the call may be made again.
    """

    def __init__(self, reason: str, attempts: Sequence[Attempt], idempotency_key: str) -> None:
        self.reason, self.attempts, self.idempotency_key = reason, tuple(attempts), idempotency_key
        tried = ", ".join(map(str, attempts)) or "nothing was sent"
        super().__init__(f"no region answered: {tried}; {reason} (idempotency key {idempotency_key})")


class CallRefused(KnownError):
    """A region answered that the request is wrong, and no other that was asked contradicted it.

    :param status: of HTTP.
    :param body: what the region said.
    :param region: which refused.
    :param attempts: all that was tried, in order.
    :param request_id: as AWS's logs name the request; empty: the answer carried none.
    """

    def __init__(self, reply: Reply, region: str, attempts: Sequence[Attempt]) -> None:
        self.status, self.body, self.region, self.attempts = reply.status, reply.body, region, tuple(attempts)
        self.request_id = request_id(reply)
        said = reply.body[: 4 * _SAID].decode(errors="replace")
        said = " ".join(said.split())[:_SAID]
        super().__init__(
            f"{region} refused the request with {reply.status}"
            + (f": {said}" if said else "")
            + (f" (request {self.request_id})" if self.request_id else "")
        )


def is_fine(reply: Reply) -> bool:
    """Whether it is what was asked for."""
    return 200 <= reply.status < 300  # noqa: PLR2004 -- HTTP's successes


def is_passing(reply: Reply) -> bool:
    """Whether another attempt may be answered better: a fault of the region, not of the request.

    SageMaker answers 424, a ModelError, for whatever the container refused or failed at; its body says which.
    """
    if reply.status == RUNNING:
        return "retry-after" in reply.headers
    if reply.status == _WRONG:
        return endpoint_errors.is_regions_own(reply.body)
    if reply.status != _MODEL_ERROR:
        return reply.status in RETRIED
    try:
        original = json.loads(reply.body)["OriginalStatusCode"]
    except (ValueError, KeyError, TypeError):
        return False  # it does not say
    return isinstance(original, int) and original >= _SERVERS_OWN


def may_differ(reply: Reply) -> bool:
    """Whether another region may answer what this one refused, though the request is as it is."""
    return reply.status in _DIFFERS


def is_processed(reply: Reply) -> bool:
    """Whether the model may have been asked, by an answer of a passing fault."""
    return reply.status not in {THROTTLED, _WRONG}


def request_id(reply: Reply) -> str:
    """API Gateway's id of the request: REST APIs and SageMaker call it one thing, HTTP APIs another."""
    return reply.headers.get("x-amzn-requestid") or reply.headers.get("apigw-requestid") or ""


def said(outcome: Reply | Fault) -> str:
    """What the region did, as ``Attempt.outcome`` says it."""
    return outcome.what if isinstance(outcome, Fault) else f"answered {outcome.status}"


def pause_s(reply: Reply) -> float:
    """Seconds for which a reply asks to be left alone (Retry-After of RFC 9110), at most 300; 0: it does not ask."""
    asked = reply.headers.get("retry-after", "").strip()
    if not asked:
        return 0.0
    if asked.isascii() and asked.isdigit():
        return min(float(asked[:9]), LONGEST_PAUSE_S)
    try:
        until = parsedate_to_datetime(asked)
        here = parsedate_to_datetime(reply.headers["date"]) if "date" in reply.headers else datetime.now(UTC)
        return min(max((_aware(until) - _aware(here)).total_seconds(), 0.0), LONGEST_PAUSE_S)
    except ValueError:
        return 0.0  # neither seconds nor a date: as if nothing was said


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
