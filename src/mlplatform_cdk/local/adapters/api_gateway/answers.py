"""From what an integration answered to what the caller gets: the integration response that its status chooses."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.api_gateway import templates
from mlplatform_cdk.local.adapters.api_gateway.exchange import JSON, Answer, Refusal, media_type
from mlplatform_cdk.local.adapters.api_gateway.integrations import parameter

if TYPE_CHECKING:
    from moto.apigateway.models import Integration, IntegrationResponse

    from mlplatform_cdk.local.adapters.api_gateway.exchange import Exchange
    from mlplatform_cdk.local.adapters.api_gateway.integrations import Told


def answer(exchange: Exchange, integration: Integration, told: Told) -> Answer:
    """The answer by the integration response that fits; without one, API Gateway has none to give."""
    chosen = _chosen(integration, told.status)
    if chosen is None:
        raise Refusal(500, "Internal server error", "InternalServerErrorException")
    headers = {}
    for target, source in (chosen.response_parameters or {}).items():
        value = _value(exchange, told, source)
        if value is not None:
            headers[target.removeprefix("method.response.header.")] = value
    body, kind = _body(exchange, chosen, told)
    override = exchange.context["responseOverride"]
    headers |= {name: str(value) for name, value in override.get("header", {}).items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return Answer(int(override.get("status", chosen.status_code)), body, headers)


def _chosen(integration: Integration, status: int) -> IntegrationResponse | None:
    """By the pattern that the status matches as a whole, or the one without a pattern."""
    responses = list((integration.integration_responses or {}).values())
    for one in responses:
        if one.selection_pattern and re.fullmatch(one.selection_pattern, str(status)):
            return one
    return next((one for one in responses if not one.selection_pattern), None)


def _value(exchange: Exchange, told: Told, source: str) -> str | None:
    if source.startswith("integration.response.header."):
        return told.headers.get(source.removeprefix("integration.response.header.").lower())
    return parameter(exchange, source)


def _body(exchange: Exchange, chosen: IntegrationResponse, told: Told) -> tuple[bytes, str]:
    """The body through its template, or as it is, and its type where no header says another."""
    is_binary = exchange.is_binary(exchange.headers.get("accept", ""))
    given = told.body
    if chosen.content_handling == "CONVERT_TO_BINARY":
        given = base64.b64decode(given)
    elif chosen.content_handling == "CONVERT_TO_TEXT" and is_binary:
        given = base64.b64encode(given)
    made = chosen.response_templates or {}
    template = templates.template_for(made, media_type(told.headers.get("content-type", JSON))) or made.get(JSON)
    if template:
        return templates.render(template, exchange, given.decode(errors="replace")).encode(), JSON
    return (given if is_binary else given.decode(errors="replace").encode()), JSON
