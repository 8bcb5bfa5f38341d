"""How a probe gets in where an API knows its callers by tokens: as a client of the issuer, by a secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import arn_of, grant, grant_decrypt, permission
from mlplatform_cdk.routing.regional_api import Authorization

_ANY_SUFFIX = "-??????"  # Secrets Manager adds six characters to the name of each secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A client of the issuer, which gets its tokens by the client credentials grant (RFC 6749, section 4.4).

    The probe reads the secret whenever it needs a token, so that a rotated one counts from the next token on, and keeps
    a token until shortly before its end. Neither is ever logged. Give the client no other right than to ask this model.

    :param secret_name: a secret of Secrets Manager in the region, a JSON object with ``client_id`` and
        ``client_secret``; with a replica in every region one name serves in all of them.
    :param token_url: the issuer's token endpoint, an ``https`` address; of a Cognito user pool:
        ``https://<its domain>/oauth2/token``.
    :param scopes: what is asked for; of a Cognito user pool: the API's; default: what the issuer gives by itself.
    :param audience: for issuers that ask for it, as a parameter of the request; default: it is not sent.
    :param key: encrypts the secret; default: the account's own key of Secrets Manager.
    """

    secret_name: str
    token_url: str
    scopes: Sequence[str] = ()
    audience: str = ""
    key: kms.IKey | None = None

    def __post_init__(self) -> None:
        """Refuse what no issuer could answer."""
        if not self.secret_name or self.secret_name.startswith("arn:"):
            raise ValueError(f"secret_name must be a name, which is the same in every region, got {self.secret_name!r}")
        if urlsplit(self.token_url).scheme != "https" or not urlsplit(self.token_url).hostname:
            raise ValueError(f"token_url must be an https address, got {self.token_url!r}")
        if isinstance(self.scopes, str) or not all(one and " " not in one for one in self.scopes):
            raise ValueError(f"scopes must be a list of words, got {self.scopes!r}")

    def settings(self, authorization: Authorization) -> Mapping[str, str]:
        """The probe's environment.

        :param authorization: of the API: Cognito's is sent a token by itself, others after ``Bearer``.
        """
        given = {
            "TOKEN_SECRET": self.secret_name,
            "TOKEN_URL": self.token_url,
            "TOKEN_SCOPES": " ".join(self.scopes),
            "TOKEN_AUDIENCE": self.audience,
            "TOKEN_SCHEME": "" if authorization.kind == "cognito" else "Bearer",
        }
        return {name: value for name, value in given.items() if value}

    def grant_read(self, scope: Construct, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` read the secret.

        :param scope: in the region of the secret.
        :param grantee: the probe.
        """
        secret = arn_of(scope, "secretsmanager", f"secret:{self.secret_name}{_ANY_SUFFIX}")
        grant(grantee, permission(["secretsmanager:GetSecretValue"], secret))
        if self.key is not None:
            grant_decrypt(self.key, grantee)


def wrong_way_in(authorization: Authorization, token: ClientCredentials | None) -> str:
    """Why a probe could not come in as callers do; empty: it could.

    :param authorization: of the API.
    :param token: what the probe was given.
    """
    kind = authorization.kind
    asks = kind in {"jwt", "cognito"}
    if kind == "cognito" and not authorization.scopes:
        return (
            "the probe is no user of a pool, so the API must take tokens of clients, got cognito without scopes; "
            "try Authorization.cognito(pool, scopes=[...])"
        )
    if asks and token is None:
        return f"token must be given where the API asks for one ({kind}), got none; try token=ClientCredentials(...)"
    return "" if asks or token is None else f"token must be given for jwt and cognito only, got one for {kind}"
