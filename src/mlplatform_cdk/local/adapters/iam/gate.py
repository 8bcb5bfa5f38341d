"""The door in front of every service: a call that a role signed goes through when the role's policies allow it.

moto's own enforcement covers some services, ignores conditions, often the resource, and locks out on "TLS only".
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.iam import access, calls, needs, refusals, unevaluated

LOG = logging.getLogger(__name__)
REPORT_PATH = "/_embedded/iam/unevaluated"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def install() -> None:
    """Put the door into moto's application, in front of what others have put there."""
    inner = DomainDispatcherApplication.__call__
    if getattr(inner, "is_guarded", False):
        return

    @functools.wraps(inner)
    def guarded(application: Any, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = _own_answer(environ)
        if answer is None:
            passed_on: Iterable[bytes] = inner(application, environ, start_response)
            return passed_on
        status, headers, body = answer
        start_response(f"{status.value} {status.phrase}", [*headers.items(), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    guarded.is_guarded = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = guarded


def _own_answer(environ: dict[str, Any]) -> refusals.Answer | None:
    if environ["PATH_INFO"] != REPORT_PATH:
        return _refusal(environ)
    report = json.dumps(unevaluated.all_of_them()).encode()
    return HTTPStatus.OK, {"Content-Type": "application/json"}, report


def _refusal(environ: dict[str, Any]) -> refusals.Answer | None:
    signature = _CREDENTIAL.search(_credential_of(environ))
    session = roles.session_of(signature[1]) if signature else None
    if signature is None or session is None:
        return None
    call = calls.read(environ, signature[3], signature[2], session.account)
    if call is None:
        LOG.warning("a call of %s by %s is in no service model; it is not checked", signature[3], session.arn)
        return None
    context = access.context_of(session, call.region)
    for need in needs.of(call):
        try:
            denial = access.check(session, need, call.region, context)
        except roles.RoleCannotBeAssumed as gone:  # since the session began
            return refusals.refuse(call, f"User: {session.arn} is not authorized: {gone}")
        if denial is not None:
            LOG.warning("refused: %s", denial.message)
            return refusals.refuse(call, denial.message)
    return None


def _credential_of(environ: dict[str, Any]) -> str:
    """The signature's scope, in the header or, for a presigned URL, in the query."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if header or "X-Amz-Credential" not in environ.get("QUERY_STRING", ""):
        return header
    return "Credential=" + parse_qs(environ["QUERY_STRING"])["X-Amz-Credential"][0]
