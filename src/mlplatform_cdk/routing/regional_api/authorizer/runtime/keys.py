"""The issuer's public keys, kept for a while; an unknown key id asks anew, but not more than once in a while."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("authorizer")
_KEPT_SECONDS = 3600.0
_SELDOM_SECONDS = 30.0
_PATIENCE_SECONDS = 3.0
_LARGEST = 262_144


class KeySet:
    """Keys of one issuer, by their ids.

    :param issuer: whose OpenID configuration names the address of the keys.
    :param keys_url: that address, where it is known.
    :param fetch: gets JSON from an address.
    :param clock: seconds that only grow.
    """

    def __init__(
        self,
        issuer: str,
        keys_url: str = "",
        *,
        fetch: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._url = issuer, keys_url
        self._fetch, self._clock = fetch or fetch_json, clock
        self._keys: Mapping[str, Mapping[str, Any]] = {}
        self._asked: float | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        """The key of that id: from memory while it is fresh, or from the issuer, who may have a new one."""
        with self._lock:
            age = None if self._asked is None else self._clock() - self._asked
            is_old = age is None or age >= _KEPT_SECONDS
            is_unknown = key_id not in self._keys and (age is None or age >= _SELDOM_SECONDS)
            if is_old or is_unknown:
                self._renew()
            return self._keys.get(key_id)

    def _renew(self) -> None:
        """Ask the issuer; while it does not answer, the keys that it had last still count."""
        self._asked = self._clock()
        try:
            self._keys = self._look()
        except OSError as error:
            if not self._keys:
                self._asked = None
                raise
            _LOG.warning("the issuer's keys could not be read again: %s", error)

    def _look(self) -> Mapping[str, Mapping[str, Any]]:
        if not self._url:
            self._url = str(self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")["jwks_uri"])
            if not self._url.startswith("https://"):
                raise ValueError(f"the issuer's keys must be at an https address, got {self._url!r}")
        return {str(key.get("kid", "")): key for key in self._fetch(self._url)["keys"]}


class _NoRedirects(HTTPRedirectHandler):
    """Keys come from the address that was named, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def fetch_json(url: str) -> Any:
    """JSON from an https address."""
    request = Request(url, headers={"Accept": "application/json", "User-Agent": "mlplatform-cdk"})  # noqa: S310
    with build_opener(_NoRedirects()).open(request, timeout=_PATIENCE_SECONDS) as answer:
        return json.loads(answer.read(_LARGEST))
