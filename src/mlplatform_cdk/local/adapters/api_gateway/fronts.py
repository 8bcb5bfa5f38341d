"""A front for each region with APIs: a port of its own, which can be shut, hang or be slow, as a lost region is.

``GET /_embedded/api_gateway/fronts`` says them all, ``{"eu-west-1": {"port": 40123, "state": "up", "delay_ms": 0}}``,
and starts those that are new. ``PUT`` with ``{"eu-west-1": {"state": "shut"}}`` refuses connections there, ``"hangs"``
takes them and never answers, ``{"state": "up", "delay_ms": 300}`` answers late. In AWS a name leads to a region's
addresses; here whoever plays the resolver leads it to the region's port.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from mlplatform_cdk.local.adapters.api_gateway import serving
from mlplatform_cdk.local.adapters.api_gateway.exchange import JSON, Answer, Refusal
from mlplatform_cdk.local.settings import HOST

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

PATH = "/_embedded/api_gateway/fronts"
STATES = ("up", "hangs", "shut")
_LOOK_SECONDS = 0.02

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Front:
    """The port of one region.

    :param region: whose APIs answer there.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self.state = "up"
        self.delay_ms = 0.0
        self.port = 0
        self._server: BaseWSGIServer | None = None
        self._open()

    def describe(self) -> dict[str, Any]:
        """What ``GET`` says of it."""
        return {"port": self.port, "state": self.state, "delay_ms": self.delay_ms}

    def change(self, *, state: str | None = None, delay_ms: float | None = None) -> None:
        """Shut, hang, slow down, or answer again at the same port."""
        if state is not None and state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, got {state!r}")
        if delay_ms is not None and delay_ms < 0:
            raise ValueError(f"delay_ms must be 0 or more, got {delay_ms}")
        self.delay_ms = self.delay_ms if delay_ms is None else delay_ms
        self.state = state or self.state
        if self.state == "shut":
            self.close()
        elif self._server is None:
            self._open()

    def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _open(self) -> None:
        self._server = make_server(HOST, self.port, self._answer, threaded=True, request_handler=_Quiet)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, name=f"front-{self.region}", daemon=True).start()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        while self.state == "hangs":
            time.sleep(_LOOK_SECONDS)
        time.sleep(self.delay_ms / 1000)
        answer = serving.serve(environ, region=self.region)
        if answer is None:
            answer = Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "ForbiddenException").answer
        return answered(answer, environ, start_response)


class _Quiet(WSGIRequestHandler):
    """No line for each request: the access log has them."""

    def log_request(self, *_: Any) -> None:
        """Say nothing."""


_fronts: dict[str, Front] = {}
_lock = threading.Lock()


def told(environ: dict[str, Any]) -> Answer:
    """Change the fronts, if that is said; say how they are."""
    with _lock:
        for region in _regions():
            if region not in _fronts:
                _fronts[region] = Front(region)
        try:
            for region, change in _changes(environ).items():
                _fronts[region].change(**change)
        except (KeyError, TypeError, ValueError) as error:
            return Answer(HTTPStatus.BAD_REQUEST, json.dumps({"message": str(error)}).encode(), {"Content-Type": JSON})
        report = {region: front.describe() for region, front in sorted(_fronts.items())}
    return Answer(HTTPStatus.OK, json.dumps(report).encode(), {"Content-Type": JSON})


def answered(answer: Answer, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """An answer, as WSGI gives it."""
    start_response(answer.line, [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def _changes(environ: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if environ["REQUEST_METHOD"] != "PUT":
        return {}
    found: dict[str, dict[str, Any]] = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    return found


def _regions() -> set[str]:
    """Where there are APIs."""
    return {
        region for account in list(apigateway_backends.values()) for region, one in list(account.items()) if one.apis
    }
