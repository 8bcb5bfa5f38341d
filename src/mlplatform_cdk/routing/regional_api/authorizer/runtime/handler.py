"""API Gateway asks about a token; the answer is a policy for all that is guarded, or a plain "Unauthorized"."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from mlplatform_cdk.routing.regional_api.authorizer.runtime import tokens
from mlplatform_cdk.routing.regional_api.authorizer.runtime.keys import KeySet
from mlplatform_cdk.runtimekit import logs, settings

_LOG = logs.logger("authorizer")
_SCHEME = "bearer "


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Allow all that is asked by POST; API Gateway makes 401 of an error that says ``Unauthorized``.

    It keeps the policy by the token alone, so that one for a single path would refuse the same token at the others.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """
    given = str(event.get("authorizationToken", ""))
    if given[: len(_SCHEME)].lower() != _SCHEME:
        raise PermissionError("Unauthorized")
    rules, keys = _known()
    try:
        claims = tokens.claims_of(given[len(_SCHEME) :], rules, keys, now=time.time())
    except tokens.Refused as refused:
        _LOG.info("a token is refused: %s", refused)
        # From nothing: the caller learns no reason, and the log has no token.
        raise PermissionError("Unauthorized") from None
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": _predictions(event["methodArn"])}
    return {
        "principalId": str(claims.get("sub", ""))[:128] or "unnamed",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


def _predictions(method_arn: str) -> str:
    """``<api>/<stage>/POST/*`` of ``<api>/<stage>/POST/<path>``."""
    return "/".join([*method_arn.split("/")[:3], "*"])


@cache
def _known() -> tuple[tokens.Rules, KeySet]:
    """Once for all calls of one worker, with the keys that it has seen."""
    issuer = settings.required("ISSUER")
    audience = settings.required("AUDIENCE").split("\n")
    return tokens.Rules(issuer=issuer, audience=audience), KeySet(issuer, settings.optional("KEYS_URL"))
