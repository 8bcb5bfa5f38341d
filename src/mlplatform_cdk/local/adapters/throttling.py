"""Throttling on demand, which nothing here would ever do by itself: AWS answers calls that come too fast by an error.

``PUT /_embedded/throttling`` with ``{"UpdateEndpoint": 3}`` lets the next three calls of that operation fail, whoever
makes them; ``GET`` says how many are still to come. With ``{"lost-UpdateEndpoint": 1}`` the next call takes effect, and
its answer gets lost on the way. Operations are those of JSON services, which name them in a header.
"""

from __future__ import annotations

import functools
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

PATH = "/_embedded/throttling"
_REFUSAL = {"__type": "ThrottlingException", "message": "Rate exceeded"}
_FAULT = {"__type": "InternalFailure", "message": "The request processing has failed because of an unknown error."}
_LOST = "lost-"
_HEADERS = [("Content-Type", "application/x-amz-json-1.1")]  # and an id of the request, as every answer of AWS's

StartResponse = Callable[[str, list[tuple[str, str]]], object]
_left: Counter[str] = Counter()
_lock = threading.Lock()


def install() -> None:
    """Put it in front of moto's application, and of what others have put there."""
    inner = DomainDispatcherApplication.__call__
    if getattr(inner, "is_throttled", False):
        return

    @functools.wraps(inner)
    def throttled(application: Any, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            return _answer(start_response, HTTPStatus.OK, _told(environ))
        if _is_due(_operation(environ)):
            return _answer(start_response, HTTPStatus.BAD_REQUEST, _REFUSAL)
        if _is_due(f"{_LOST}{_operation(environ)}"):
            b"".join(inner(application, environ, lambda _status, _headers: None))
            return _answer(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, _FAULT)
        passed_on: Iterable[bytes] = inner(application, environ, start_response)
        return passed_on

    throttled.is_throttled = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = throttled


def _told(environ: dict[str, Any]) -> dict[str, int]:
    """Note what is to be throttled, if that is said; what is still to come."""
    with _lock:
        if environ["REQUEST_METHOD"] == "PUT":
            _left.clear()
            _left.update(json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))))
        return dict(+_left)


def _operation(environ: dict[str, Any]) -> str:
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]


def _is_due(disturbance: str) -> bool:
    with _lock:
        if _left[disturbance] <= 0:
            return False
        _left[disturbance] -= 1
    return True


def _answer(start_response: StartResponse, status: HTTPStatus, value: object) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    headers = [*_HEADERS, ("Content-Length", str(len(body))), ("x-amzn-requestid", str(uuid.uuid4()))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
