"""CloudFormation that makes what a template says, in order, and names what it cannot make.

moto's creates lazily, loses the outputs of change sets, updates by deleting, skips unknown types with a warning,
ignores most properties of buckets and waits for no custom resource. Its API front stays; what stands behind it is
ours: an engine (``engine``) over resource types (``kinds``) which call the services' own APIs.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.wrappers import Request, Response

from mlplatform_cdk.local.adapters.cloudformation import backend, change_sets, custom


def install() -> None:
    """Put the engine behind moto's CloudFormation, and an ear for custom resources beside it."""
    backend.install()
    change_sets.install()
    dispatch = DomainDispatcherApplication.__call__
    if hasattr(dispatch, "__wrapped__") and getattr(dispatch, "hears_custom_resources", False):
        return

    @functools.wraps(dispatch)
    def hearing(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Any:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(custom.PATH):
            return dispatch(self, environ, start_response)
        is_known = custom.answered(path.removeprefix(custom.PATH), Request(environ).get_data(as_text=True))
        return Response(status=200 if is_known else 404)(environ, start_response)

    hearing.hears_custom_resources = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = hearing
