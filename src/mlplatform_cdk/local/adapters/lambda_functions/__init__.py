"""Lambda functions that run: the deployed zip asset, in a process of its own, under the function's own role.

moto's backend without Docker answers with canned text, and its CloudFormation type drops dead letters and logging.
"""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.exceptions import JsonRESTError

from mlplatform_cdk.local.adapters.lambda_functions import asynchronous, functions, invoke, urls


class TooManyRequests(JsonRESTError):
    """AWS's answer to a throttled call."""

    code = 429

    def __init__(self, message: str) -> None:
        super().__init__("TooManyRequestsException", message)


def install() -> None:
    """Put the real run under every path that invokes a function."""
    functions.install()
    urls.install()
    LambdaSimpleBackend.invoke = LambdaBackend.invoke
    LambdaFunction.invoke = _invoke


def _invoke(function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> bytes:
    event = body.decode() if isinstance(body, bytes) else body or "{}"
    headers = {str(name).lower(): value for name, value in dict(request_headers).items()}
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "DryRun":
        return b""
    json.loads(event)
    if kind == "Event":
        asynchronous.start(function, event)
        return b""
    try:
        outcome = invoke.run(function, event)
    except invoke.Throttled as throttled:
        raise TooManyRequests(str(throttled)) from throttled
    response_headers.update(invoke.headers_of(outcome))
    return outcome.payload.encode()
