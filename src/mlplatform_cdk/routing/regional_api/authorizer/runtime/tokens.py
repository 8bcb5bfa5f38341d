"""What a token must be: signed RS256 by a key of its issuer, in time, and for us. Pure but for the keys."""

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlplatform_cdk.routing.regional_api.authorizer.runtime import rs256

# How far two clocks may differ: RFC 7519, sections 4.1.4 and 4.1.5, allow for "no more than a few minutes".
LEEWAY_SECONDS = 60
_LONGEST_TOKEN = 16_384
_PARTS = 3


class Refused(Exception):
    """A token that counts for nothing; the message is for the log, never for the caller."""


class Keys(Protocol):
    """The issuer's public keys."""

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        """The key of that id, as a JSON Web Key; None where the issuer has no such key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Whose tokens count, and which of them.

    :param issuer: the one ``iss``.
    :param audience: of ``aud``, one must be here.
    """

    issuer: str
    audience: Sequence[str]


def claims_of(token: str, rules: Rules, keys: Keys, *, now: float) -> Mapping[str, Any]:
    """The claims of a token that counts; ``Refused`` otherwise.

    The algorithm is RS256, whatever the token says: a token that names another is refused before a key is looked up.

    :param token: three parts between dots.
    :param rules: whose tokens count.
    :param keys: the issuer's keys.
    :param now: seconds since 1970.
    """
    if len(token) > _LONGEST_TOKEN or len(parts := token.split(".")) != _PARTS:
        raise Refused("it is no token of three parts")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") != "RS256" or "crit" in header:
        raise Refused(f"its algorithm must be RS256 without extensions, got {header.get('alg')!r}")
    key = keys.find(str(header.get("kid", "")))
    if key is None or key.get("kty") != "RSA" or key.get("use", "sig") != "sig" or key.get("alg", "RS256") != "RS256":
        raise Refused("it names no RSA key for signatures of the issuer")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    if not rs256.is_signed(signed, _octets(parts[2]), modulus=_number(key, "n"), exponent=_number(key, "e")):
        raise Refused("its signature is not that of the key it names")
    _check(claims, rules, now)
    return claims


def _check(claims: Mapping[str, Any], rules: Rules, now: float) -> None:
    """RFC 7519, section 4.1."""
    if claims.get("iss") != rules.issuer:
        raise Refused("it is of another issuer")
    given = claims.get("aud")
    if not {*(given if isinstance(given, list) else [given])} & {*rules.audience}:
        raise Refused("it is for another audience")
    if now >= _time(claims, "exp", needed=True) + LEEWAY_SECONDS:
        raise Refused("its time is over")
    if now < _time(claims, "nbf") - LEEWAY_SECONDS:
        raise Refused("its time has not come")


def _time(claims: Mapping[str, Any], name: str, *, needed: bool = False) -> float:
    value = claims.get(name)
    if value is None and not needed:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refused(f"its {name} is no time")
    return float(value)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_octets(part))
    except (ValueError, RecursionError) as error:
        raise Refused("a part of it is no JSON") from error
    if not isinstance(found, dict):
        raise Refused("a part of it is no object")
    return found


def _octets(part: str) -> bytes:
    """Base64url without padding: RFC 7515, section 2."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("a part of it is no base64url") from error


def _number(key: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(str(key.get(name, ""))), "big")
