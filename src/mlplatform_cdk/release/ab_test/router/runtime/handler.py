"""A request or an outcome, by HTTP or by a plain call; what it does is the client's, so that both do the same."""

import base64
import binascii
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from mlplatform_cdk.runtimekit import logs, settings
from mlplatform_cdk.runtimekit.ab_test import ABClient, OutcomeRefused

KEY, REQUEST_ID, VARIANT, RECORDED = "x-ab-key", "x-ab-request-id", "x-ab-variant", "x-ab-recorded"
_JSON = "application/json"
_STATUS = {"ValidationError": 400, "ModelError": 502, "ServiceUnavailable": 503, "ThrottlingException": 429}
_LOG = logs.logger("ab-router")


class BadRequest(Exception):
    """A call that says too little."""


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one call.

    By HTTP: ``POST /invocations`` with the caller's key in ``x-ab-key`` answers as the model does, with the request id
    in ``x-ab-request-id``; ``POST /outcomes`` takes ``{"request_id": "…", "outcomes": {metric: number}}``. By a plain
    call: the same as ``{"key": "…", "body": "…", "content_type"?, "accept"?, "request_id"?}`` or
    ``{"request_id": "…", "outcomes": {…}}``; a body that is no text is base64 in ``body_base64``.
    """
    if "requestContext" not in event:
        return _plain(event)
    try:
        return _by_http(event)
    except (BadRequest, OutcomeRefused) as problem:
        return _http(400, {"error": str(problem)})
    except _failures() as failure:
        detail = failure.response["Error"]
        _LOG.warning("the endpoint refused", extra={"code": detail["Code"], "problem": detail["Message"]})
        return _http(_STATUS.get(detail["Code"], 500), {"error": detail["Message"]})


@cache
def client() -> ABClient:
    """The client of the environment's test; it remembers the shares between calls."""
    return ABClient(
        endpoint=settings.required("ENDPOINT_NAME"),
        test=settings.required("TEST_NAME"),
        table=settings.required("OUTCOMES_TABLE"),
    )


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    if "outcomes" in event:
        return {"counted": _report(event)}
    if not isinstance(event.get("key"), str):
        raise BadRequest('a request must have its caller\'s "key", a text, and an outcome "outcomes"')
    body = _decoded(event["body_base64"]) if "body_base64" in event else str(event.get("body", ""))
    answer = client().invoke(
        event["key"],
        body,
        content_type=event.get("content_type", _JSON),
        accept=event.get("accept", _JSON),
        request_id=event.get("request_id"),
    )
    text, is_text = _text(answer.body)
    return {
        "request_id": answer.request_id,
        "variant": answer.variant,
        "recorded": answer.recorded,
        "content_type": answer.content_type,
        "body" if is_text else "body_base64": text,
    }


def _by_http(event: Mapping[str, Any]) -> dict[str, Any]:
    headers: Mapping[str, str] = event.get("headers", {})
    content = event.get("body") or ""
    body = _decoded(content) if event.get("isBase64Encoded") else content.encode()
    if event["rawPath"].endswith("/outcomes"):
        try:
            told = json.loads(body)
        except ValueError:
            raise BadRequest("an outcome must be JSON") from None
        return _http(200, {"counted": _report(told)})
    if KEY not in headers:
        raise BadRequest(f"a request must have its caller's key in the header {KEY}")
    answer = client().invoke(
        headers[KEY],
        body,
        content_type=headers.get("content-type", _JSON),
        accept=headers.get("accept", "*/*"),
        request_id=headers.get(REQUEST_ID),
    )
    text, is_text = _text(answer.body)
    return {
        "statusCode": 200,
        "headers": {
            "content-type": answer.content_type,
            REQUEST_ID: answer.request_id,
            VARIANT: answer.variant,
            RECORDED: str(answer.recorded).lower(),
        },
        "body": text,
        "isBase64Encoded": not is_text,
    }


def _report(told: object) -> dict[str, bool]:
    outcomes = told.get("outcomes") if isinstance(told, Mapping) else None
    id_ = told.get("request_id") if isinstance(told, Mapping) else None
    if not isinstance(outcomes, Mapping) or not outcomes or not isinstance(id_, str):
        raise BadRequest('an outcome must be {"request_id": "…", "outcomes": {metric: number}}')
    return client().report(id_, outcomes)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BadRequest("a body in base64 must be base64") from None


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), True
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), False


def _http(status: int, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": _JSON}, "body": json.dumps(value)}


def _failures() -> Any:
    from botocore.exceptions import ClientError  # an asset must boot without boto3

    return ClientError
