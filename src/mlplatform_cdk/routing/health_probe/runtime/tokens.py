"""A token of the issuer for the probe's requests: got by a secret, kept until shortly before its end, never logged."""

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from mlplatform_cdk.routing.health_probe.runtime.sending import Answer, Sender
from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("region-probe")
_OK = 200
_PATIENCE_S = 3
_AHEAD_S = 60.0  # before its end a token is got anew, or at a fifth of its life where that is short
_REST_S = 30.0  # between two questions to the issuer
_SHORT_S = 300.0  # how long a token counts whose issuer does not say
_CODE = re.compile(r"[a-z_]{1,40}")  # an error's code in RFC 6749, and nothing else of the answer


class NoToken(KnownError):
    """The issuer gave the probe no token: that says nothing about the region."""


@dataclass(slots=True, kw_only=True)
class Tokens:
    """Lets requests in by a bearer token.

    :param secret: the name of the secret with ``client_id`` and ``client_secret``.
    :param url: the issuer's token endpoint.
    :param scopes: what is asked for, with spaces between; empty: what the issuer gives by itself.
    :param audience: empty: it is not sent.
    :param scheme: what stands before the token; empty: it is sent by itself.
    :param sender: sends.
    :param clock: seconds that never go back; default: this machine's.
    """

    secret: str
    url: str
    scopes: str = ""
    audience: str = ""
    scheme: str = ""
    sender: Sender
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _renew_at: float = 0.0
    _ends_at: float = 0.0
    _asked_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, request: Any) -> None:
        """Let a request in.

        :raises NoToken: when there is no token that counts, and the issuer gives none.
        """
        request.headers["authorization"] = f"{self.scheme} {self._current()}".lstrip()

    def refused(self) -> None:
        """The API did not take the token: the next request gets another, unless this one is new."""
        with self._lock:
            self._renew_at = 0.0

    def _current(self) -> str:
        with self._lock:
            now = self.clock()
            if now >= self._renew_at and now - self._asked_at >= _REST_S:
                self._asked_at = now
                try:
                    self._renew(now)
                except NoToken as problem:
                    if now >= self._ends_at:
                        raise
                    _LOG.warning("the token in use is kept", extra={"problem": str(problem)})
            if not self._token or now >= self._ends_at:
                raise NoToken("the issuer gave no token a moment ago")
            return self._token

    def _renew(self, now: float) -> None:
        client, password = self._client()
        form = {"grant_type": "client_credentials", "scope": self.scopes, "audience": self.audience}
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        pair = base64.b64encode(f"{quote_plus(client)}:{quote_plus(password)}".encode()).decode()

        def authorize(request: Any) -> None:
            del request.headers["content-type"]
            request.headers["content-type"] = "application/x-www-form-urlencoded"
            request.headers["authorization"] = f"Basic {pair}"

        told = _read(self.sender.send("POST", self.url, body, authorize=authorize), self.url)
        lasts = told.get("expires_in")
        lasts_s = float(lasts) if isinstance(lasts, int | float) and lasts > 0 else _SHORT_S
        self._token = told["access_token"]
        self._ends_at = now + lasts_s
        self._renew_at = self._ends_at - min(_AHEAD_S, lasts_s / 5)

    def _client(self) -> tuple[str, str]:
        """The client's name and password, as they are now."""
        from botocore.exceptions import BotoCoreError, ClientError  # an asset must boot without boto3

        try:
            found = aws.client("secretsmanager", patience_s=_PATIENCE_S, attempts=2).get_secret_value(
                SecretId=self.secret
            )
            told = json.loads(found["SecretString"])
            return str(told["client_id"]), str(told["client_secret"])
        except (BotoCoreError, ClientError) as problem:
            raise NoToken(f"the secret {self.secret} could not be read: {type(problem).__name__}") from problem
        except (KeyError, TypeError, ValueError):
            # Without the cause, whose sentence may hold what it read.
            raise NoToken(f"the secret {self.secret} must be JSON with client_id and client_secret") from None


def _read(answer: Answer, url: str) -> dict[str, Any]:
    """What the issuer says; nothing of a wrong answer but its code goes into the sentence."""
    if answer.problem:
        raise NoToken(f"{url} did not answer: {answer.problem}")
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if answer.status == _OK and isinstance(told, dict) and isinstance(told.get("access_token"), str):
        return told
    code = str(told.get("error", "")) if isinstance(told, dict) else ""
    raise NoToken(f"{url} gave no token: HTTP {answer.status} {code if _CODE.fullmatch(code) else ''}".rstrip())
