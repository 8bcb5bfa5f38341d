"""Mapping templates: Velocity with API Gateway's ``$input``, ``$context``, ``$stageVariables`` and ``$util``.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote_plus

import airspeed
from jsonpath_ng.ext.parser import parse

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.api_gateway.exchange import Exchange

_ESCAPED = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "/": "\\/"}


def render(template: str, exchange: Exchange, body: str) -> str:
    """``template`` over a body; what it sets in ``$context.responseOverride`` is found in the exchange.

    :param template: the template.
    :param exchange: the request, whose context it sees.
    :param body: what ``$input`` reads: the caller's, or the integration's.
    """
    names = {
        "context": exchange.context,
        "input": Input(exchange, body),
        "stageVariables": dict(exchange.deployed.stage.variables or {}),
        "util": Utilities(),
    }
    text: str = _compiled(template).merge(names)
    return text


@lru_cache(maxsize=256)
def _compiled(template: str) -> Any:
    return airspeed.Template(template)


class Input:
    """``$input``."""

    def __init__(self, exchange: Exchange, body: str) -> None:
        self.body = body
        self._exchange = exchange

    def path(self, expression: str) -> Any:
        """The value at a JSONPath, or nothing; a list of an indefinite path."""
        found = [one.value for one in _path(expression).find(self._json())]
        if any(sign in expression for sign in ("..", "*", "?", ":")):
            return found
        return found[0] if found else None

    def json(self, expression: str) -> str:
        """The value at a JSONPath, as JSON."""
        return json.dumps(self.path(expression))

    def params(self, name: str | None = None) -> Any:
        """A parameter by its name, looked for in path, query and headers; or all of them, by place."""
        exchange = self._exchange
        headers = dict(exchange.headers)
        places = {"path": dict(exchange.deployed.path_parameters), "querystring": dict(exchange.query)}
        if name is None:
            return places | {"header": headers}
        if name in ("path", "querystring", "header"):
            return (places | {"header": headers})[name]
        for place in (*places.values(), headers):
            if name in place:
                return place[name]
        return headers.get(name.lower(), "")

    def _json(self) -> Any:
        try:
            return json.loads(self.body or "{}")
        except ValueError:
            return {}


@lru_cache(maxsize=256)
def _path(expression: str) -> Any:
    return parse(expression)


class Utilities:
    """``$util``, under Velocity's names."""

    def escapeJavaScript(self, text: Any) -> str:  # noqa: N802
        """Text for a string of JavaScript."""
        return "".join(_ESCAPED.get(letter, letter) for letter in str(text))

    def parseJson(self, text: str) -> Any:  # noqa: N802
        """JSON as an object."""
        return json.loads(text)

    def urlEncode(self, text: str) -> str:  # noqa: N802
        """Text for a form."""
        return quote_plus(text)

    def urlDecode(self, text: str) -> str:  # noqa: N802
        """Text of a form."""
        return unquote_plus(text)

    def base64Encode(self, text: str) -> str:  # noqa: N802
        """Text in base 64."""
        return base64.b64encode(text.encode()).decode()

    def base64Decode(self, text: str) -> str:  # noqa: N802
        """Text out of base 64."""
        return base64.b64decode(text).decode()


def template_for(templates: Mapping[str, str | None] | None, media_type: str) -> str | None:
    """The template of a media type, if there is one; None in place of one that is empty."""
    return (templates or {}).get(media_type)


def context_value(context: Mapping[str, Any], path: str) -> str:
    """A value of ``$context`` by its dotted path; a hyphen where there is none, as in access logs."""
    value: Any = context
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "-" if value is None or isinstance(value, Mapping) else str(value)
