"""Tokens of an issuer that the tests play."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mlplatform_cdk.routing.regional_api.authorizer.runtime import tokens

NOW = 1_790_000_000.0
ISSUER = "https://id.example.com/"
RULES = tokens.Rules(issuer=ISSUER, audience=["models"])
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {"iss": ISSUER, "aud": "models", "sub": "someone", "exp": NOW + 600, "nbf": NOW - 600}


def octets(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def part(value: Any) -> str:
    return octets(json.dumps(value).encode())


def public(key: rsa.RSAPrivateKey, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    names = (("n", numbers.n), ("e", numbers.e))
    return {"kty": "RSA", **{name: octets(n.to_bytes((n.bit_length() + 7) // 8, "big")) for name, n in names}, **more}


def token(
    claims: Mapping[str, Any] = CLAIMS, *, key: rsa.RSAPrivateKey = KEY, header: Mapping[str, Any] | None = None
) -> str:
    signed = f"{part({'alg': 'RS256', 'kid': 'k1', **(header or {})})}.{part(claims)}"
    return f"{signed}.{octets(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class Keys:
    def __init__(self, **keys: Mapping[str, Any]) -> None:
        self.keys = keys
        self.asked: list[str] = []

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        self.asked.append(key_id)
        return self.keys.get(key_id)
