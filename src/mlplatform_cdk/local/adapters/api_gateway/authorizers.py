"""Who calls: a role that signed, a token that a function knows, or nobody in particular."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.api_gateway import lambda_calls
from mlplatform_cdk.local.adapters.api_gateway.exchange import Refusal
from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.iam.statements import Need, find, statements_of
from mlplatform_cdk.local.adapters.lambda_functions import invoke

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.apigateway.models import Authorizer

    from mlplatform_cdk.local.adapters.api_gateway.exchange import Exchange

_KEY = re.compile(r"Credential=([^/,\s]+)/")
_INVOKE = "execute-api:Invoke"
_LONGEST = 300  # seconds that a verdict is kept where the authorizer does not say: API Gateway's own default
_MOST_KEPT = 10_000

_kept: dict[tuple[str, str, str], tuple[float, Mapping[str, Any]]] = {}
_lock = threading.Lock()


def authorize(exchange: Exchange) -> None:
    """Refuse a caller whom the method's authorization refuses."""
    kind = exchange.deployed.method.authorization_type or "NONE"
    if kind == "AWS_IAM":
        _signed(exchange)
    elif kind == "CUSTOM":
        _told_by_a_function(exchange)
    elif kind != "NONE":
        # The deployment has said so: nobody here knows the tokens of a user pool.
        raise Refusal(401, "Unauthorized", "UnauthorizedException")


def _signed(exchange: Exchange) -> None:
    """The role that signed must be allowed; made-up keys are the administrator's and pass, as everywhere here."""
    given = _KEY.search(exchange.headers.get("authorization", "")) or _KEY.search(
        f"Credential={exchange.query.get('X-Amz-Credential', '')}/"
    )
    if given is None or not given[1]:
        raise Refusal(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
    session = roles.session_of(given[1])
    if session is None:
        exchange.context["identity"] |= {"caller": given[1], "user": given[1]}
        return
    exchange.context["identity"] |= {"caller": session.arn, "user": session.arn, "userArn": session.arn}
    need = Need(action=_INVOKE, resources=(exchange.method_arn,))
    region = exchange.deployed.region
    denial = access.check(session, need, region, access.context_of(session, region))
    if denial is not None:
        raise Refusal(403, denial.message, "AccessDeniedException", member="Message")


def _told_by_a_function(exchange: Exchange) -> None:
    """What a Lambda authorizer says of the token, asked or remembered."""
    authorizer = exchange.deployed.api.authorizers[exchange.deployed.method.authorizer_id]
    if authorizer.type != "TOKEN":
        raise Refusal(500, "Internal server error", "AuthorizerConfigurationException")
    name = str(authorizer.identity_source or "method.request.header.Authorization").rpartition(".")[2]
    token = exchange.headers.get(name.lower(), "")
    expected = authorizer.identity_validation_expression
    if not token or (expected and not re.fullmatch(expected, token)):
        raise Refusal(401, "Unauthorized", "UnauthorizedException")
    verdict = _verdict(exchange, authorizer, token)
    exchange.context["authorizer"] = {"principalId": verdict.get("principalId"), **verdict.get("context", {})}
    statements = statements_of("the authorizer's policy", verdict.get("policyDocument", {}))
    found = find(statements, Need(action=_INVOKE, resources=(exchange.method_arn,)), {})
    if found.denied_by or not found.allowed:
        end = " with an explicit deny" if found.denied_by else ""
        message = f"User is not authorized to access this resource{end}"
        raise Refusal(403, message, "AccessDeniedException", member="Message")


def _verdict(exchange: Exchange, authorizer: Authorizer, token: str) -> Mapping[str, Any]:
    deployed = exchange.deployed
    key, now = (deployed.execute_arn, str(authorizer.id), token), time.monotonic()
    longest = _LONGEST if authorizer.authorizer_result_ttl is None else int(authorizer.authorizer_result_ttl)
    with _lock:
        known = _kept.get(key)
    if known is not None and now - known[0] < longest:
        return known[1]
    verdict = _asked(exchange, authorizer, token)
    with _lock:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = (now, verdict)
    return verdict


def _asked(exchange: Exchange, authorizer: Authorizer, token: str) -> Mapping[str, Any]:
    """One call of the function, which its own policy must allow API Gateway."""
    name = lambda_calls.function_arn(str(authorizer.authorizer_uri))
    source = f"{exchange.deployed.execute_arn.rpartition('/')[0]}/authorizers/{authorizer.id}"
    if not access.service_may("apigateway.amazonaws.com", "lambda:InvokeFunction", name, source_arn=source):
        raise Refusal(500, None, "AuthorizerConfigurationException")
    function = get_backend(exchange.deployed.account, exchange.deployed.region).get_function(name)
    event = {"type": "TOKEN", "authorizationToken": token, "methodArn": exchange.method_arn}
    outcome = invoke.run(function, json.dumps(event))
    answer = json.loads(outcome.payload)
    if outcome.failed:
        if answer.get("errorMessage") == "Unauthorized":
            raise Refusal(401, "Unauthorized", "UnauthorizedException")
        raise Refusal(500, None, "AuthorizerFailureException")
    if not isinstance(answer, dict) or "policyDocument" not in answer:
        raise Refusal(500, None, "AuthorizerConfigurationException")
    return answer
