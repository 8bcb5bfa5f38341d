"""Lambda's events as requests, and answers as what Lambda's callers expect.

Events of API Gateway (payload formats 1.0 and 2.0), Function URLs and load balancers are HTTP in JSON:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Any other event is the body of a request to ``/invocations``, as ``aws lambda invoke`` sends it.
"""

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.tracing import XRAY

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
_PRELUDE_END = b"\0" * 8
_SHORT_PATHS = {("POST", "/"): "/invocations", ("GET", "/"): "/ping"}
_TEXT = ("application/json", "application/jsonlines", "text/")
_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")  # of a route, such as /{proxy+}


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the Runtime API hands out.

    :param id: names the invocation.
    :param event: the event's JSON.
    :param deadline_ms: when the function is cut off, in milliseconds since 1970.
    :param trace: X-Ray's header; default: none.
    """

    id: str
    event: bytes
    deadline_ms: int
    trace: str = ""

    @property
    def seconds_left(self) -> float:
        """Until the function is cut off."""
        return self.deadline_ms / 1000 - time.time()


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and how its answer must look.

    :param request: what is asked.
    :param is_http: whether the caller expects status, headers and body; else the body alone.
    :param many: whether the caller takes headers as lists; default: no.
    """

    request: Request
    is_http: bool
    many: bool = False


def question_of(invocation: Invocation) -> Question:
    """What ``invocation`` asks.

    :raises RequestError: when the event is no JSON, or its body cannot be decoded.
    """
    event = invocation.event
    headers = {"content-type": "application/json"}
    if invocation.trace:
        headers[XRAY] = invocation.trace
    # An event that cannot be HTTP is not parsed here: the codec does it, once.
    value = _parsed(event) if b'"requestContext"' in event or b'"body"' in event else None
    if not isinstance(value, dict) or not ("requestContext" in value or isinstance(value.get("body"), str)):
        return Question(Request("POST", "/invocations", headers, event, time.perf_counter()), is_http=False)
    told = _headers(value)
    method, path = _target(value)
    request = Request(method, path, headers | told, _body(value), time.perf_counter())
    return Question(request, is_http=True, many=value.get("headers") is None and "multiValueHeaders" in value)


def payload_of(question: Question, answer: Answer) -> bytes:
    """``answer`` as the function's whole result.

    :raises Failed: when the caller, who expects a body alone, must be told of an error.
    """
    if not question.is_http:
        if answer.status != HTTPStatus.OK:
            raise Failed(answer)
        return answer.body
    text = answer.content_type.startswith(_TEXT)
    body = answer.body.decode() if text else base64.b64encode(answer.body).decode()
    result: dict[str, Any] = {"statusCode": answer.status, "body": body, "isBase64Encoded": not text}
    headers = _told(answer)
    if question.many:
        result["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    else:
        result["headers"] = headers
    return orjson.dumps(result)


def prelude_of(answer: Answer) -> bytes:
    """What goes before a streamed body: status and headers, as API Gateway and Function URLs read them."""
    return orjson.dumps({"statusCode": answer.status, "headers": _told(answer)}) + _PRELUDE_END


class Failed(Exception):
    """An answer that ends an invocation as an error.

    :param answer: which is no 200.
    """

    def __init__(self, answer: Answer) -> None:
        try:
            sentence = orjson.loads(answer.body)["error"]
        except (ValueError, KeyError, TypeError):
            sentence = answer.body.decode(errors="replace")
        super().__init__(sentence)
        self.kind = HTTPStatus(answer.status).phrase.replace(" ", "")


def _parsed(event: bytes) -> Any:
    try:
        return orjson.loads(event)
    except ValueError:
        return None  # the codec says what is wrong with it


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case; several values of one header are joined, as HTTP allows."""
    many = _object(event, "multiValueHeaders").items()
    told = {name.lower(): ",".join(map(str, values)) for name, values in many if isinstance(values, list) and values}
    one = {name.lower(): str(value) for name, value in _object(event, "headers").items()}
    return one | told


def _target(event: Mapping[str, Any]) -> tuple[str, str]:
    context = _object(event, "requestContext")
    http = _object(context, "http")
    method = str(http.get("method") or event.get("httpMethod") or "POST")
    path = _path(event, f"/{context.get('stage')}")
    return method, _SHORT_PATHS.get((method, path), path)


def _path(event: Mapping[str, Any], stage: str) -> str:
    """The path without what stands before it: a custom domain's base path, or the name of the HTTP API's stage."""
    route = str(event.get("resource") or event.get("routeKey") or "").rpartition(" ")[2]
    values = _object(event, "pathParameters")
    if route.startswith("/") and values.keys() >= set(_PARAMETER.findall(route)):
        return _PARAMETER.sub(lambda found: str(values[found[1]]), route)
    path = str(event.get("rawPath") or event.get("path") or "/")
    if "rawPath" in event and (path == stage or path.startswith(f"{stage}/")):
        return path[len(stage) :] or "/"
    return path


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise RequestError(f"the event's body must be a text, got {type(body).__name__}")
    if not event.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:  # binascii's own, or the one for what is not ASCII
        raise RequestError(f"the event's body must be base64, got something else ({error})") from None


def _object(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What ``event`` has under ``name``; empty where that is no object: callers can send what they like."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _told(answer: Answer) -> dict[str, str]:
    return {"Content-Type": answer.content_type, **dict(answer.headers)}
