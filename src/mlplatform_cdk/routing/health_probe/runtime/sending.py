"""HTTP as a caller's: signed or with a key, over connections that stay open, with a time-out and no second try."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_JSON = "application/json"
_AGENT = "mlplatform-cdk region probe"  # firewalls take offence at callers who do not say what they are
VARIANT_HEADER = "x-amzn-invoked-production-variant"
# What a request carries, beside its content type, to be let in.
Authorize = Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one request.

    :param status: HTTP's; 0: there was no answer.
    :param body: as it came.
    :param variant: which variant answered, where SageMaker says so.
    :param latency_ms: from sending to the last byte.
    :param problem: why there was no answer.
    """

    status: int
    body: bytes = b""
    variant: str = ""
    latency_ms: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests over one pool of connections.

    :param timeout_s: how long a connection, and each piece of an answer, may take.
    :param connections: how many stay open.
    :param at: addresses to connect to in place of a name, as in a rehearsal; the request still carries the name.
    """

    timeout_s: float
    connections: int = 20
    at: Mapping[str, str] = field(default_factory=dict)
    _session: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Open the pool: botocore's own, which the AWS clients use."""
        from botocore.httpsession import URLLib3Session  # an asset must boot without boto3

        session = URLLib3Session(timeout=self.timeout_s, max_pool_connections=self.connections)
        object.__setattr__(self, "_session", session)

    def send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        authorize: Authorize | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one request; what goes wrong on the way is told in it.

        :param method: of HTTP.
        :param url: whom it is for.
        :param body: default: none.
        :param authorize: lets it in; default: nothing does.
        :param more: further headers; default: none.
        """
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        headers = {"accept": _JSON, "user-agent": _AGENT, **({"content-type": _JSON} if body else {}), **(more or {})}
        name = urlsplit(url).netloc
        request = AWSRequest(method=method, url=url, data=body, headers={**headers, "host": name})
        if authorize is not None:
            authorize(request)
        if name in self.at:
            request.url = url.replace(f"https://{name}", self.at[name], 1)
        began = time.monotonic()
        try:
            came = self._session.send(request.prepare())
            content = came.content
        except BotoCoreError as problem:
            return Answer(status=0, latency_ms=_since(began), problem=f"{type(problem).__name__}: {problem}"[:300])
        names: Mapping[str, str] = {name.lower(): value for name, value in came.headers.items()}
        variant = names.get(VARIANT_HEADER, "")
        return Answer(status=came.status_code, body=content, variant=variant, latency_ms=_since(began))


def signature(region: str) -> Authorize:
    """Signs with this function's own role, as an API with IAM authorization asks.

    :param region: of the API.
    """
    import boto3
    from botocore.auth import SigV4Auth

    session = boto3.Session()

    def sign(request: Any) -> None:
        SigV4Auth(session.get_credentials().get_frozen_credentials(), "execute-api", region).add_auth(request)

    return sign


def key(value: str) -> Authorize:
    """Carries an API key.

    :param value: of the key.
    """

    def carry(request: Any) -> None:
        request.headers["x-api-key"] = value

    return carry


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
