"""Who may ask for predictions. ``/health`` asks nobody, since Route 53's health checkers cannot sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from aws_cdk import aws_cognito as cognito

_LONGEST = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One of ``iam()``, ``api_key()``, ``jwt(...)`` and ``cognito(...)``."""

    kind: Literal["iam", "api_key", "jwt", "cognito"]
    secret_name: str | None = None
    issuer: str = ""
    audience: tuple[str, ...] = ()
    keys_url: str = ""
    user_pools: tuple[cognito.IUserPool, ...] = ()
    scopes: tuple[str, ...] = ()
    kept: timedelta = FIVE_MINUTES

    @classmethod
    def iam(cls) -> "Authorization":
        """Whoever signs with Signature Version 4 and may ``execute-api:Invoke``; see ``RegionalApi.grant_invoke``."""
        return cls(kind="iam")

    @classmethod
    def api_key(cls, *, secret_name: str | None = None) -> "Authorization":
        """Whoever sends ``x-api-key``. AWS advises against a key as the only guard: it names callers and meters them.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html

        :param secret_name: a secret of Secrets Manager whose text is the key, 20 to 128 characters, with a replica in
            every region, so that one key serves in all of them; default: API Gateway makes a key for each region.
        """
        return cls(kind="api_key", secret_name=secret_name)

    @classmethod
    def jwt(
        cls, *, issuer: str, audience: Sequence[str], keys_url: str = "", kept: timedelta = FIVE_MINUTES
    ) -> "Authorization":
        """Whoever sends ``Authorization: Bearer <token>`` with a token of ``issuer``, signed RS256.

        :param issuer: the ``iss`` of its tokens, an ``https`` address.
        :param audience: values of ``aud`` of which a token must have one.
        :param keys_url: where its public keys are; default: as its OpenID configuration says.
        :param kept: for how long API Gateway keeps a verdict on a token, even past the token's end, at most an hour;
            0: it asks each time; default: five minutes.
        """
        for name, value in (("issuer", issuer), ("keys_url", keys_url or issuer)):
            if urlsplit(value).scheme != "https":
                raise ValueError(f"{name} must be an https address, got {value!r}")
        if isinstance(audience, str) or not audience or not all(audience):
            raise ValueError(f"audience must be a list with one value at least, got {audience!r}")
        if not timedelta(0) <= kept <= _LONGEST:
            raise ValueError(f"kept must lie in 0 to an hour, got {kept.total_seconds():g} s")
        return cls(kind="jwt", issuer=issuer, audience=tuple(audience), keys_url=keys_url, kept=kept)

    @classmethod
    def cognito(cls, *user_pools: cognito.IUserPool, scopes: Sequence[str] = ()) -> "Authorization":
        """Whoever sends ``Authorization: <token>`` of these user pools: an ID token, or an access token by scopes.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html

        :param user_pools: pools; a pool lives in one region, so name pools that outlive the region which may be lost.
        :param scopes: of a resource server of the pools, such as ``models/ask``: an access token must have one of them,
            and ID tokens are refused; clients that are no users, as the probe, need it; default: ID tokens.
        """
        if not user_pools:
            raise ValueError("cognito must be given a user pool at least, got none")
        if isinstance(scopes, str) or not all(scopes):
            raise ValueError(f"scopes must be a list, got {scopes!r}")
        return cls(kind="cognito", user_pools=user_pools, scopes=tuple(scopes))
