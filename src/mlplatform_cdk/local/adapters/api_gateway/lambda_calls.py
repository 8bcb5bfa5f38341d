"""A Lambda function behind a method: the event of a proxy integration, and its answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend

from mlplatform_cdk.local.adapters.api_gateway.exchange import JSON, Answer, Refusal
from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.lambda_functions import invoke

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.api_gateway.exchange import Exchange

_URI = re.compile(r":lambda:path/2015-03-31/functions/(?P<function>arn:[^/]+)/invocations$")


def function_arn(uri: str) -> str:
    """The function that an integration's or an authorizer's URI names."""
    found = _URI.search(uri)
    if found is None:
        raise Refusal(500, "Internal server error", "InvalidIntegrationException")
    return found["function"]


def proxied(exchange: Exchange) -> Answer:
    """Hand the whole request to the function; its answer is the whole answer."""
    deployed = exchange.deployed
    assert deployed.method.method_integration is not None
    name = function_arn(str(deployed.method.method_integration.uri))
    source = f"{deployed.execute_arn}/{exchange.verb}{deployed.resource.get_path()}"
    if not access.service_may("apigateway.amazonaws.com", "lambda:InvokeFunction", name, source_arn=source):
        raise Refusal(500, "Internal server error", "IntegrationFailureException")
    function = get_backend(deployed.account, deployed.region).get_function(name)
    try:
        outcome = invoke.run(function, json.dumps(_event(exchange)))
    except invoke.Throttled as throttled:
        raise Refusal(429, "Too Many Requests", "TooManyRequestsException") from throttled
    exchange.context["integration"] = {"status": 200, "requestId": outcome.request_id}
    answer = json.loads(outcome.payload)
    if outcome.failed or not isinstance(answer, dict) or "statusCode" not in answer:
        raise Refusal(502, "Internal server error", "InternalServerErrorException")
    return _answer(answer)


def _event(exchange: Exchange) -> dict[str, Any]:
    is_binary = exchange.is_binary(exchange.headers.get("content-type", ""))
    body = base64.b64encode(exchange.body).decode() if is_binary else exchange.body.decode(errors="replace")
    return {
        "resource": exchange.deployed.resource.get_path(),
        "path": exchange.path,
        "httpMethod": exchange.verb,
        "headers": dict(exchange.headers),
        "multiValueHeaders": {name: [value] for name, value in exchange.headers.items()},
        "queryStringParameters": dict(exchange.query) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in exchange.query.items()} or None,
        "pathParameters": dict(exchange.deployed.path_parameters) or None,
        "stageVariables": exchange.deployed.stage.variables or None,
        "requestContext": {name: value for name, value in exchange.context.items() if name != "responseOverride"},
        "body": body if exchange.body else None,
        "isBase64Encoded": is_binary and bool(exchange.body),
    }


def _answer(given: dict[str, Any]) -> Answer:
    text = given.get("body") or ""
    body = base64.b64decode(text) if given.get("isBase64Encoded") else str(text).encode()
    several = {name: ", ".join(map(str, values)) for name, values in (given.get("multiValueHeaders") or {}).items()}
    headers = {name: str(value) for name, value in (given.get("headers") or {}).items()} | several
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = JSON
    return Answer(int(given["statusCode"]), body, headers)
