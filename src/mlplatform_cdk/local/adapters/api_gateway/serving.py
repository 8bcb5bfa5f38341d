"""A request to a deployed API, from its first line to its answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from mlplatform_cdk.local.adapters.api_gateway import (
    access_log,
    answers,
    authorizers,
    finding,
    integrations,
    lambda_calls,
    throttle,
)
from mlplatform_cdk.local.adapters.api_gateway.exchange import LARGEST_BODY, Answer, Exchange, Refusal

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.api_gateway.exchange import Deployed
    from mlplatform_cdk.local.adapters.api_gateway.finding import Stage

LOG = logging.getLogger(__name__)


def serve(environ: dict[str, Any], *, region: str = "") -> Answer | None:
    """The answer to a request; None where it is not for an API.

    :param environ: the request, as WSGI has it; its body is read only where it is for an API.
    :param region: the region whose front it came to; default: as its header says, or whichever has the name.
    """
    region = region or environ.get("HTTP_X_EMBEDDED_REGION", "")
    try:
        found = finding.stage_of(environ.get("HTTP_HOST", ""), _path(environ), region=region)
        if found is None:
            return None
        deployed = finding.method_of(found, environ["REQUEST_METHOD"])
    except Refusal as refusal:
        return refusal.answer
    return _answered(_exchange(environ, found, deployed))


def _answered(exchange: Exchange) -> Answer:
    """Authorizer, key, throttle, integration, in API Gateway's order."""
    try:
        _check_size(exchange)
        authorizers.authorize(exchange)
        if str(exchange.deployed.method.api_key_required).lower() == "true":
            throttle.check_key(exchange)
        throttle.throttle_stage(exchange)
        answer = _integrated(exchange)
    except Refusal as refusal:
        answer = refusal.answer
        exchange.context["error"] = {"message": str(refusal), "responseType": answer.headers["x-amzn-ErrorType"]}
    except Exception:
        LOG.exception("the API %s failed", exchange.deployed.api.id)
        answer = Refusal(500, "Internal server error", "InternalServerErrorException").answer
    answer.headers |= {"x-amzn-RequestId": exchange.request_id, "x-amz-apigw-id": exchange.request_id}
    access_log.write(exchange, answer)
    return answer


def _check_size(exchange: Exchange) -> None:
    if len(exchange.body) > LARGEST_BODY:
        raise Refusal(413, "Request Too Long", "RequestTooLargeException")


def _integrated(exchange: Exchange) -> Answer:
    integration = exchange.deployed.method.method_integration
    if integration is None:
        raise Refusal(500, "Internal server error", "InternalServerErrorException")
    if integration.integration_type == "AWS_PROXY":
        return lambda_calls.proxied(exchange)
    told = integrations.ask(exchange, integration)
    exchange.context["integration"] = {"status": told.status, "requestId": told.headers.get("x-amzn-requestid")}
    return answers.answer(exchange, integration, told)


def _exchange(environ: dict[str, Any], found: Stage, deployed: Deployed) -> Exchange:
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return Exchange(
        deployed=deployed,
        verb=environ["REQUEST_METHOD"],
        path=found.path,
        headers=headers,
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        body=_body(environ),
        address=environ.get("REMOTE_ADDR", "127.0.0.1"),
    )


def _path(environ: dict[str, Any]) -> str:
    """The path as the caller wrote it, its escapes undone."""
    return unquote(str(environ["PATH_INFO"]).encode("latin-1").decode(errors="replace"))


def _body(environ: dict[str, Any]) -> bytes:
    """One byte more than may be, at most: enough to know that it is too much."""
    length = environ.get("CONTENT_LENGTH")
    if not length and not environ.get("wsgi.input_terminated"):
        return b""
    most = LARGEST_BODY + 1
    body: bytes = environ["wsgi.input"].read(min(int(length), most) if length else most)
    return body
