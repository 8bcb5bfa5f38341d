"""Deployed REST APIs that answer over HTTP; moto keeps them and answers in its own test process only.

An API answers on the embedded AWS's own port, by path (``/restapis/<id>/<stage>/_user_request_/<path>``) or by the
``Host`` of a custom domain, and on its region's front, a port for each region with APIs. Callers are known as the
method says: by a role that signed, by a key and its plan, by a Lambda authorizer. Behind are AWS services, called as
the integration's role, functions, and made-up answers, through Velocity templates. There is no TLS. What a template
asks for beside that is named when it is deployed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from mlplatform_cdk.local.adapters.api_gateway import fronts, serving, stages

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def install() -> None:
    """Answer in front of moto's application, and of what others have put there: a caller of an API is none of AWS's."""
    stages.install()
    inner = DomainDispatcherApplication.__call__
    if getattr(inner, "serves_apis", False):
        return

    @functools.wraps(inner)
    def answering(application: Any, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = fronts.told(environ) if environ["PATH_INFO"] == fronts.PATH else serving.serve(environ)
        if answer is None:
            passed_on: Iterable[bytes] = inner(application, environ, start_response)
            return passed_on
        return fronts.answered(answer, environ, start_response)

    answering.serves_apis = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = answering
