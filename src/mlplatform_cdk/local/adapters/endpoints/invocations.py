"""InvokeEndpoint: one request to one variant's container, by weight or by name; moto answers canned text."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import moto.sagemaker.urls
import moto.sagemakerruntime.urls
from moto.core.responses import BaseResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from mlplatform_cdk.local.adapters.endpoints.endpoint import LiveEndpoint
from mlplatform_cdk.local.adapters.endpoints.event_stream import failure, frames
from mlplatform_cdk.local.adapters.endpoints.fleet import Variant, choose, shadows_of
from mlplatform_cdk.local.adapters.endpoints.metrics import Metrics
from mlplatform_cdk.local.adapters.endpoints.multi_model import LoadRefused, NoSuchModel, NotReadyYet
from mlplatform_cdk.local.adapters.sagemaker_api import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

Answer = tuple[int, dict[str, Any], Any]

PREFIX = "X-Amzn-SageMaker-"
ATTRIBUTES = f"{PREFIX}Custom-Attributes"
INFERENCE_ID = f"{PREFIX}Inference-Id"
TARGET_MODEL = f"{PREFIX}Target-Model"
VARIANT = "x-Amzn-Invoked-Production-Variant"
OCTETS = "application/octet-stream"
MICROSECONDS = 1_000_000
SERVER_ERROR = 500
METRICS = Metrics()
_SHADOWS = ThreadPoolExecutor(16, thread_name_prefix="shadow")


class Refused(Exception):
    """An answer of the SageMaker runtime other than the model's: its code, status and members."""

    def __init__(self, code: str, status: int, message: str, **members: Any) -> None:
        super().__init__(message)
        self.answer: Answer = (
            status,
            {"status": status, "x-amzn-ErrorType": code, "Content-Type": "application/json"},
            json.dumps({"Message": message, **members}),
        )


class RuntimeResponse(BaseResponse):
    """The SageMaker runtime's API."""

    use_raw_body = True

    def __init__(self) -> None:
        super().__init__(service_name="sagemaker-runtime")

    def _determine_resource(self) -> str:
        """What a policy must allow."""
        return self._scope.arn("endpoint", self._endpoint_name)

    def invoke_endpoint(self) -> Answer:
        """Answer with the container's answer."""
        try:
            variant, answer = self._ask(stream=False)
        except Refused as refused:
            return refused.answer
        body = answer.data
        self._capture(variant, answer, body)
        return 200, self._headers(variant, answer, "Content-Type"), body

    def invoke_endpoint_with_response_stream(self) -> Answer:
        """Answer with the container's answer, part by part as it comes."""
        try:
            variant, answer = self._ask(stream=True)
        except Refused as refused:
            return refused.answer
        headers = self._headers(variant, answer, f"{PREFIX}Content-Type")
        return 200, headers | {"Content-Type": "application/vnd.amazon.eventstream"}, _parts(answer)

    def invoke_endpoint_async(self) -> Answer:
        """Refuse: there is no queue behind an endpoint here."""
        return Refused("ValidationError", 400, "the embedded AWS does not run asynchronous inference").answer

    @property
    def _scope(self) -> Scope:
        return Scope(self.current_account, self.region)

    @property
    def _endpoint_name(self) -> str:
        return str(self.path.split("/")[2])

    def _ask(self, *, stream: bool) -> tuple[Variant, BaseHTTPResponse]:
        began = time.perf_counter()
        endpoint, variant = self._entered()
        for shadow in shadows_of(endpoint.fleet, variant):
            if shadow.server.traffic.enter():
                _SHADOWS.submit(self._copy, endpoint, shadow)
        return variant, self._timed(endpoint, variant, began, stream=stream)

    def _copy(self, endpoint: LiveEndpoint, shadow: Variant) -> None:
        """The request again, to a shadow; its answer is measured, and nobody sees it."""
        with contextlib.suppress(Refused):
            self._timed(endpoint, shadow, time.perf_counter(), stream=False)

    def _timed(self, endpoint: LiveEndpoint, variant: Variant, began: float, *, stream: bool) -> BaseHTTPResponse:
        """The answer of ``variant``, which was entered, measured whatever becomes of it."""
        status, asked = SERVER_ERROR, time.perf_counter()
        answered: float | None = None
        try:
            answer = self._send(endpoint, variant, stream=stream)
            answered, status = time.perf_counter() - asked, answer.status
            if status >= 300:  # noqa: PLR2004 - SageMaker takes 2xx only
                raise self._model_error(endpoint, status, answer.data.decode(errors="replace"))
        except Refused as refused:
            refused.answer[1][VARIANT] = variant.spec["VariantName"]  # AWS does not say: for whoever counts here
            raise
        finally:
            variant.server.traffic.leave()
            spent = time.perf_counter() - began - (answered or 0.0)
            latency = None if answered is None else answered * MICROSECONDS
            METRICS.count(self._key(variant), status, latency, spent * MICROSECONDS, instances=variant.count)
        return answer

    def _entered(self) -> tuple[LiveEndpoint, Variant]:
        """The variant for this request, which stays until it has answered."""
        target = self.headers.get(f"{PREFIX}Target-Variant")
        while True:
            endpoint = self._find()
            variant = choose(endpoint.fleet, target)
            if variant is None:
                known = f"variant {target}" if target else "a variant with a weight above 0"
                raise Refused("ValidationError", 400, f"Endpoint {endpoint.endpoint_name} has no {known}.")
            if variant.server.traffic.enter():
                return endpoint, variant

    def _find(self) -> LiveEndpoint:
        endpoint = self._scope.backend.endpoints.get(self._endpoint_name)
        if not isinstance(endpoint, LiveEndpoint) or not endpoint.fleet:
            raise Refused(
                "ValidationError", 400, f"Endpoint {self._endpoint_name} of account {self.current_account} not found."
            )
        return endpoint

    def _send(self, endpoint: LiveEndpoint, variant: Variant, *, stream: bool) -> BaseHTTPResponse:
        accept = self.headers.get(f"{PREFIX}Accept") or self.headers.get("Accept") or "*/*"
        headers = {"Content-Type": self.headers.get("Content-Type") or OCTETS, "Accept": accept}
        taken = (ATTRIBUTES, INFERENCE_ID, TARGET_MODEL)
        headers |= {name: self.headers[name] for name in taken if name in self.headers}
        target = self._target_model(variant)
        if not variant.server.healthy:
            name = variant.spec["VariantName"]
            raise Refused("ServiceUnavailable", 503, f"No healthy instance behind variant {name}; it is being started.")
        try:
            return variant.server.ask(self.raw_body, headers, stream=stream, target=target)
        except NoSuchModel as error:
            raise Refused("ValidationError", 400, str(error)) from error
        except NotReadyYet as error:
            raise Refused("ModelNotReadyException", 429, str(error)) from error
        except LoadRefused as error:
            raise self._model_error(endpoint, error.status, str(error)) from error
        except ReadTimeoutError as error:
            message = "Your invocation timed out while waiting for a response from container primary."
            raise self._model_error(endpoint, 0, message) from error
        except HTTPError as error:
            name = variant.spec["VariantName"]
            raise Refused("ServiceUnavailable", 503, f"The container of variant {name} did not answer.") from error

    def _target_model(self, variant: Variant) -> str | None:
        target: str | None = self.headers.get(TARGET_MODEL)
        if (target is None) == variant.model.multi:
            wants = "needs a TargetModel" if target is None else "is no multi-model variant and takes no TargetModel"
            raise Refused("ValidationError", 400, f"Variant {variant.spec['VariantName']} {wants}.")
        return target

    def _model_error(self, endpoint: LiveEndpoint, status: int, text: str) -> Refused:
        kind = "client" if status in range(400, 500) else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint.endpoint_name}"
        message = (
            f'Received {kind} error ({status}) from primary with message "{text}". See CloudWatch log group {group} '
            f"in account {self.current_account} for more information."
        )
        stream = f"arn:{self.partition}:logs:{self.region}:{self.current_account}:log-group:{group}"
        return Refused("ModelError", 424, message, OriginalStatusCode=status, OriginalMessage=text, LogStreamArn=stream)

    def _headers(self, variant: Variant, answer: BaseHTTPResponse, content_type: str) -> dict[str, Any]:
        headers = {VARIANT: variant.spec["VariantName"], content_type: answer.headers.get("Content-Type") or OCTETS}
        if ATTRIBUTES in answer.headers:
            headers[ATTRIBUTES] = answer.headers[ATTRIBUTES]
        return headers

    def _capture(self, variant: Variant, answer: BaseHTTPResponse, body: bytes) -> None:
        capture = self._find().capture
        if capture is None:
            return
        names: dict[str, Any] = {}
        if INFERENCE_ID in self.headers:
            names["inferenceId"] = self.headers[INFERENCE_ID]
        if ATTRIBUTES in self.headers:
            names["customAttributes"] = [self.headers[ATTRIBUTES]]
        asked = (self.headers.get("Content-Type") or OCTETS, self.raw_body)
        capture.record(variant, asked, (answer.headers.get("Content-Type") or OCTETS, body), names)

    def _key(self, variant: Variant) -> tuple[str, str, str, str]:
        return self.current_account, self.region, self._endpoint_name, variant.spec["VariantName"]


def install() -> None:
    """Answer the runtime's paths; the streaming one arrives among those of the SageMaker API."""
    for path in moto.sagemakerruntime.urls.url_paths:
        moto.sagemakerruntime.urls.url_paths[path] = RuntimeResponse.dispatch
    stream = "{0}/endpoints/(?P<name>[^/]+)/invocations-response-stream$"
    moto.sagemaker.urls.url_paths[stream] = RuntimeResponse.dispatch


def _parts(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """The answer as it comes; a container that breaks off is told as SageMaker tells it, within the stream."""
    try:
        yield from frames(answer.read_chunked() if answer.chunked else answer.stream(1 << 16))
    except HTTPError as error:
        yield failure("ModelStreamError", f"The container ended its answer early: {error}", ErrorCode="StreamBroken")
    finally:
        answer.release_conn()
