"""What is behind a method: an AWS service, called as the integration's role, a function, or a made-up answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core.utils import get_service_model

from mlplatform_cdk.local import roles, settings
from mlplatform_cdk.local.adapters.api_gateway import templates
from mlplatform_cdk.local.adapters.api_gateway.exchange import JSON, Refusal

if TYPE_CHECKING:
    from moto.apigateway.models import Integration

    from mlplatform_cdk.local.adapters.api_gateway.exchange import Exchange

# https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
_URI = re.compile(r"^arn:[^:]+:apigateway:(?P<region>[^:]+):(?P<service>[^:]+):(?P<how>path|action)/(?P<what>.*)$")
_LONGEST_MS = 29_000
_SIGNED_AS = {"runtime.sagemaker": "sagemaker"}

_pool = urllib3.PoolManager(maxsize=64)


@dataclass(slots=True)
class Told:
    """What the integration answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """What the integration is asked, after the mappings of parameters and body."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)


def ask(exchange: Exchange, integration: Integration) -> Told:
    """Map the request and send it on."""
    asked = _mapped(exchange, integration)
    if integration.integration_type == "MOCK":
        return _made_up(asked.body)
    if integration.integration_type != "AWS":
        raise Refusal(500, "Internal server error", "InvalidIntegrationException")
    return _service(exchange, integration, asked)


def _mapped(exchange: Exchange, integration: Integration) -> Asked:
    asked = Asked(_body(exchange, integration))
    for target, source in (integration.request_parameters or {}).items():
        _, _, place, name = target.split(".", 3)
        value = parameter(exchange, source)
        if value is not None:
            {"header": asked.headers, "querystring": asked.query, "path": asked.path}[place][name] = value
    return asked


def parameter(exchange: Exchange, source: str) -> str | None:
    """A parameter of the request by the expression that names it, or a constant in single quotes."""
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    if source.startswith("context."):
        return templates.context_value(exchange.context, source.removeprefix("context."))
    if source.startswith("stageVariables."):
        return (exchange.deployed.stage.variables or {}).get(source.removeprefix("stageVariables."))
    place, _, name = source.removeprefix("method.request.").partition(".")
    places: dict[str, Mapping[str, str]] = {
        "header": exchange.headers,
        "querystring": exchange.query,
        "path": exchange.deployed.path_parameters,
    }
    if place not in places:
        return None
    return places[place].get(name.lower() if place == "header" else name)


def _body(exchange: Exchange, integration: Integration) -> bytes:
    """The request's body through its template, or as it is; a binary body through a template would need text."""
    given = _handled(exchange.body, exchange.is_binary(exchange.headers.get("content-type", "")), integration)
    found = templates.template_for(integration.request_templates, exchange.content_type)
    if found is not None:
        return templates.render(found, exchange, given.decode(errors="replace")).encode()
    behaviour = integration.passthrough_behaviour or "WHEN_NO_MATCH"
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and integration.request_templates):
        raise Refusal(415, "Unsupported Media Type", "BadRequestException")
    return given


def _handled(body: bytes, is_binary: bool, integration: Integration) -> bytes:  # noqa: FBT001 - a row of AWS's table
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html."""
    if integration.content_handling == "CONVERT_TO_TEXT" and is_binary:
        return base64.b64encode(body)
    if integration.content_handling == "CONVERT_TO_BINARY" and not is_binary:
        return base64.b64decode(body)
    return body if is_binary else body.decode(errors="replace").encode()


def _made_up(body: bytes) -> Told:
    """A MOCK integration's template says the status, and nothing else."""
    try:
        return Told(int(json.loads(body or b"{}")["statusCode"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(500, "Internal server error", "InternalServerErrorException") from error


def _service(exchange: Exchange, integration: Integration, asked: Asked) -> Told:
    """A call of the embedded AWS itself, signed as the integration's role: what the role may not do is refused."""
    found = _URI.match(str(integration.uri))
    if found is None:
        raise Refusal(500, "Internal server error", "InvalidIntegrationException")
    service = _SIGNED_AS.get(found["service"], found["service"])
    path = "/"
    headers = {"Content-Type": exchange.headers.get("content-type", JSON), **_canonical(asked.headers)}
    if found["how"] == "action":
        headers |= _action(service, found["what"])
    else:
        path += quote(_filled(found["what"], asked.path), safe="/-_.~")
    url = f"{settings.current().endpoint_url}{path}{'?' + urlencode(asked.query) if asked.query else ''}"
    request = AWSRequest(method=integration.http_method or "POST", url=url, data=asked.body, headers=headers)
    SigV4Auth(_credentials(exchange, integration), service, found["region"]).add_auth(request)
    return _sent(request, min(int(integration.timeout_in_millis or _LONGEST_MS), _LONGEST_MS) / 1000)


def _sent(request: AWSRequest, seconds: float) -> Told:
    try:
        answer = _pool.request(
            request.method,
            request.url,
            body=request.data,
            headers=dict(request.headers),
            timeout=seconds,
            retries=False,
        )
    except urllib3.exceptions.TimeoutError as error:
        raise Refusal(504, "Endpoint request timed out", "InternalServerErrorException") from error
    except urllib3.exceptions.HTTPError as error:
        raise Refusal(500, "Internal server error", "InternalServerErrorException") from error
    return Told(answer.status, answer.data, {name.lower(): value for name, value in answer.headers.items()})


def _credentials(exchange: Exchange, integration: Integration) -> Credentials:
    """Those of the integration's role, which must trust API Gateway."""
    deployed = exchange.deployed
    if not integration.credentials:
        raise Refusal(500, "Internal server error", "InvalidIntegrationException")
    try:
        made = roles.credentials_for(
            deployed.account,
            deployed.region,
            integration.credentials,
            "BackplaneAssumeRoleSession",
            service="apigateway.amazonaws.com",
        )
    except roles.RoleCannotBeAssumed as refused:
        exchange.context["integrationErrorMessage"] = str(refused)
        message = "API Gateway does not have permission to assume the provided role"
        raise Refusal(500, message, "AccessDeniedException") from refused
    return Credentials(made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"], made["AWS_SESSION_TOKEN"])


def _action(service: str, action: str) -> dict[str, str]:
    """What a service's JSON protocol wants of a call by its name."""
    metadata: Mapping[str, Any] = get_service_model(service).metadata
    version = metadata.get("jsonVersion", "1.1")
    return {
        "X-Amz-Target": f"{metadata['targetPrefix']}.{action}",
        "Content-Type": f"application/x-amz-json-{version}",
    }


def _filled(path: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), path)


def _canonical(headers: Mapping[str, str]) -> dict[str, str]:
    return {"-".join(part[:1].upper() + part[1:] for part in name.split("-")): value for name, value in headers.items()}
