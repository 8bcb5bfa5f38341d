"""What a caller uses in the router's place: it assigns, asks the variant directly, and remembers the request.

A fault of the test's bookkeeping never fails a prediction: the answer comes all the same, and says that it was not
recorded.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.ab_test import outcomes, state
from mlplatform_cdk.runtimekit.ab_test.assignment import assign
from mlplatform_cdk.runtimekit.ab_test.outcomes import Exposure, OutcomeRefused
from mlplatform_cdk.runtimekit.ab_test.plan import FAILED, LATENCY
from mlplatform_cdk.runtimekit.ab_test.state import RUNNING, TestState

_LOG = logs.logger("ab-test")
_LONGEST_ID = 64  # SageMaker's, for an InferenceId
_NO_SUCH_VARIANT = "ValidationError"  # what the container refuses is a ModelError
REFRESH_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint answered.

    :param request_id: by which the outcome is reported; also the InferenceId of captured data.
    :param variant: which answered.
    :param body: the answer.
    :param content_type: of the answer.
    :param recorded: is the request part of the test.
    """

    request_id: str
    variant: str
    body: bytes
    content_type: str
    recorded: bool


class ABClient:
    """Sends requests to the variants of an A/B test, and reports their outcomes.

    It reads the test's shares from the table, at most every ``refresh_s``. Where no test runs, the endpoint's own
    weights decide, and nothing is recorded.

    :param endpoint: the endpoint's name.
    :param test: the test's name.
    :param table: the name of the test's table.
    :param refresh_s: how long shares that were read hold, in seconds; at most the default, 30, so that nobody is sent
        to a variant that a test takes away.
    """

    def __init__(self, *, endpoint: str, test: str, table: str, refresh_s: float = REFRESH_S) -> None:
        self._endpoint, self._test, self._table = endpoint, test, table
        self._refresh_s = min(refresh_s, REFRESH_S)
        self._state: TestState | None = None
        self._read_at = -float("inf")

    def variant_of(self, key: str) -> str | None:
        """The variant that ``key`` gets now; None: no test runs."""
        running = self._running()
        return None if running is None else assign(running.salt, key, running.shares)

    def invoke(
        self,
        key: str,
        body: bytes | str,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        request_id: str | None = None,
    ) -> Answer:
        """Ask the variant of ``key``, and remember the request.

        :param key: who asks: the same key has the same variant as long as the shares stay.
        :param body: the request, as the model takes it.
        :param content_type: of the request.
        :param accept: the content type of the answer.
        :param request_id: 1 to 64 ASCII characters that tell this request from every other; default: a new one.
        :raises OutcomeRefused: when ``request_id`` is none.
        """
        id_ = request_id or uuid.uuid4().hex
        if not (id_.isascii() and len(id_) <= _LONGEST_ID):
            raise OutcomeRefused(f"request_id must be 1 to {_LONGEST_ID} ASCII characters, got {id_!r}")
        request = {"Body": body, "ContentType": content_type, "Accept": accept, "InferenceId": id_}
        running = self._running()
        variant = None if running is None else assign(running.salt, key, running.shares)
        try:
            return self._ask(running, variant, key, request)
        except self._faults() as refused:
            now = self._moved(refused, key, variant)
            if now is None:
                raise
        return self._ask(*now, key, request)

    def report(self, request_id: str, outcome: Mapping[str, float]) -> dict[str, bool]:
        """Report what became of a request; by metric, whether the value counts in the test.

        :param request_id: as the answer gave it.
        :param outcome: metric to value.
        :raises OutcomeRefused: when there is no such request or metric, or the value is none of the metric's.
        """
        known = self._known()
        if known is None:
            raise OutcomeRefused(f"outcomes are reported of a test that has begun, and {self._test} never ran")
        return outcomes.record_outcomes(self._table, known, request_id, outcome)

    def _ask(self, running: TestState | None, variant: str | None, key: str, request: Mapping[str, Any]) -> Answer:
        """Ask ``variant``, or any that the endpoint chooses, and remember it if a test runs."""
        target = {} if variant is None else {"TargetVariant": variant}
        began, failed, recorded = time.perf_counter(), True, False
        try:
            answer = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=self._endpoint, **request, **target)
            content = answer["Body"].read()
            failed = False
        except self._faults() as refused:
            if _code(refused) == _NO_SUCH_VARIANT:
                running = None  # nothing was asked
            raise
        finally:
            if running is not None and variant is not None:
                measured = {FAILED: float(failed), LATENCY: (time.perf_counter() - began) * 1000}
                exposure = Exposure(request_id=request["InferenceId"], key=key, variant=variant, measured=measured)
                recorded = self._record(running, exposure)
        return Answer(
            request_id=request["InferenceId"],
            variant=answer.get("InvokedProductionVariant", variant or ""),
            body=content,
            content_type=answer.get("ContentType", ""),
            recorded=recorded,
        )

    def _moved(self, refused: Exception, key: str, variant: str | None) -> tuple[TestState | None, str | None] | None:
        """Where ``key`` belongs now that its variant is gone with its test; None: that is not why it was refused."""
        if variant is None or _code(refused) != _NO_SUCH_VARIANT:
            return None
        self._read_at = -float("inf")
        running = self._running()
        now = None if running is None else assign(running.salt, key, running.shares)
        return None if now == variant else (running, now)

    def _record(self, running: TestState, exposure: Exposure) -> bool:
        try:
            return outcomes.record_request(self._table, running, exposure)
        except self._faults():
            _LOG.exception("a request was not recorded", extra={"request_id": exposure.request_id})
            return False

    def _running(self) -> TestState | None:
        try:
            known = self._known()
        except self._faults():
            _LOG.exception("the test could not be read; the last that was known holds")
            known = self._state
        return known if known is not None and known.status == RUNNING else None

    def _known(self) -> TestState | None:
        now = time.monotonic()
        if now - self._read_at >= self._refresh_s:
            self._state = state.read(self._table, self._test)
            self._read_at = now
        return self._state

    @staticmethod
    def _faults() -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # an asset must boot without boto3

        return BotoCoreError, ClientError


def _code(failure: Exception) -> str:
    """AWS's code of a failure; empty: it is none of AWS's."""
    response: Mapping[str, Any] = getattr(failure, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
