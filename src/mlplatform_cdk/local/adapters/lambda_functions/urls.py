"""Function URLs that answer: a page or an API behind one can be opened in a browser, as its users will open it.

moto makes up an address that leads nowhere. Here it is one of the embedded AWS's own, and a request to it becomes the
event that AWS documents: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html. URLs for signed calls
(``AWS_IAM``) are refused, as unsigned calls of them are in AWS.
"""

from __future__ import annotations

import base64
import functools
import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import FunctionUrlConfig, LambdaFunction
from moto.awslambda.utils import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters.lambda_functions import invoke

PREFIX = "/_embedded/lambda-url/"
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")
_NEEDED = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")  # both, for what was made since October 2025

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Answer = tuple[int, list[tuple[str, str]], bytes]

_configurations: dict[str, FunctionUrlConfig] = {}
_initialize = FunctionUrlConfig.__init__


def install() -> None:
    """Give URLs an address here, and answer there, in front of moto's application."""
    FunctionUrlConfig.__init__ = _initialize_reachable
    inner = DomainDispatcherApplication.__call__
    if getattr(inner, "has_function_urls", False):
        return

    @functools.wraps(inner)
    def answering(application: Any, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(PREFIX):
            passed_on: Iterable[bytes] = inner(application, environ, start_response)
            return passed_on
        code, headers, body = _answer(environ)
        status = HTTPStatus(code)
        start_response(f"{code} {status.phrase}", [*headers, ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    answering.has_function_urls = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = answering


def event_of(environ: dict[str, Any], *, url_id: str, function: LambdaFunction) -> dict[str, Any]:
    """The event, in payload format 2.0.

    :param environ: the request, as WSGI has it; its body is read.
    :param url_id: the first part of the host's name, in AWS.
    :param function: whose URL it is.
    """
    path = "/" + environ["PATH_INFO"][len(PREFIX) :].partition("/")[2]
    now, domain = datetime.now(UTC), f"{url_id}.lambda-url.{function.region}.on.aws"
    headers = _headers(environ) | {"host": domain}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": quote(path.encode("latin-1")),
        "rawQueryString": environ.get("QUERY_STRING", ""),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": url_id,
            "domainName": domain,
            "domainPrefix": url_id,
            "http": {
                "method": environ["REQUEST_METHOD"],
                "path": quote(path.encode("latin-1")),
                "protocol": environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": environ.get("REMOTE_ADDR", ""),
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
    }
    if cookies := headers.pop("cookie", ""):
        event["cookies"] = cookies.split("; ")
    if query := _joined(parse_qsl(event["rawQueryString"], keep_blank_values=True)):
        event["queryStringParameters"] = query
    return event | _body(environ, headers.get("content-type", ""))


def answer_of(payload: str) -> Answer:
    """Status, headers and body of what a function answered, which need not say more than the body."""
    said = json.loads(payload)
    if not isinstance(said, dict) or "statusCode" not in said:
        return HTTPStatus.OK, [("content-type", "application/json")], payload.encode()
    headers = {"content-type": "application/json"} | {
        str(name).lower(): str(value) for name, value in (said.get("headers") or {}).items()
    }
    body = str(said.get("body") or "").encode()
    lines = [*headers.items(), *(("set-cookie", cookie) for cookie in said.get("cookies") or [])]
    return int(said["statusCode"]), lines, base64.b64decode(body) if said.get("isBase64Encoded") else body


def _initialize_reachable(url: FunctionUrlConfig, *more: Any, **named: Any) -> None:
    _initialize(url, *more, **named)
    url_id = uuid.uuid4().hex
    url.url = f"{settings.current().endpoint_url}{PREFIX}{url_id}/"
    _configurations[url_id] = url


def _answer(environ: dict[str, Any]) -> Answer:
    url_id = environ["PATH_INFO"][len(PREFIX) :].partition("/")[0]
    function = _function(url_id)
    if function is None:
        return _refusal(HTTPStatus.NOT_FOUND, "no function has this URL")
    if not _is_public(function):
        return _refusal(HTTPStatus.FORBIDDEN, "Forbidden: the URL or the function's policy lets nobody in unsigned")
    try:
        outcome = invoke.run(function, json.dumps(event_of(environ, url_id=url_id, function=function)))
    except invoke.Throttled:
        return _refusal(HTTPStatus.TOO_MANY_REQUESTS, "Rate Exceeded.")
    if outcome.failed:
        return HTTPStatus.BAD_GATEWAY, [("content-type", "application/json")], b"Internal Server Error"
    return answer_of(outcome.payload)


def _function(url_id: str) -> LambdaFunction | None:
    """Whose URL this is, as long as both are there."""
    config = _configurations.get(url_id)
    if config is None:
        return None
    owner = config.function
    try:
        found: LambdaFunction = get_backend(owner.account_id, owner.region).get_function(owner.function_arn)
    except UnknownFunctionException:
        return None
    return found if found.url_config is config else None


def _is_public(function: LambdaFunction) -> bool:
    if function.url_config.config.get("AuthType") != "NONE":
        return False
    statements = function.policy.statements if function.policy else []
    let_in = {one["Action"] for one in statements if one["Effect"] == "Allow" and one.get("Principal") == "*"}
    return let_in.issuperset(_NEEDED)


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    found = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    plain = {"content-type": environ.get("CONTENT_TYPE"), "content-length": environ.get("CONTENT_LENGTH")}
    return found | {name: value for name, value in plain.items() if value}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _body(environ: dict[str, Any], content_type: str) -> dict[str, Any]:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if not body:
        return {"isBase64Encoded": False}
    if content_type.startswith(_TEXTS):
        return {"body": body.decode("utf-8", "replace"), "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _refusal(status: HTTPStatus, message: str) -> Answer:
    return status, [("content-type", "application/json")], json.dumps({"Message": message}).encode()
