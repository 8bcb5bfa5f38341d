"""Whose tokens open the API, and which forgeries are refused?"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mlplatform_cdk.routing.regional_api.authorizer.runtime import rs256, tokens
from tests.routing.regional_api.signing import CLAIMS, KEY, NOW, OTHER, RULES, Keys, octets, part, public, token


def check(given: str, *, keys: Keys | None = None, rules: tokens.Rules = RULES) -> Mapping[str, Any]:
    return tokens.claims_of(given, rules, keys or Keys(k1=public(KEY)), now=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param(CLAIMS, id="whole"),
        pytest.param({**CLAIMS, "aud": ["others", "models"]}, id="one audience of several"),
        pytest.param({name: value for name, value in CLAIMS.items() if name != "nbf"}, id="no beginning"),
        pytest.param({**CLAIMS, "exp": NOW - 59}, id="over for less than the clocks may differ"),
        pytest.param({**CLAIMS, "nbf": NOW + 59}, id="early by less than the clocks may differ"),
    ],
)
def test_a_token_of_the_issuer_for_us_and_in_time_counts(claims: dict[str, Any]) -> None:
    assert check(token(claims)) == claims


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://id.example.org/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "others"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"exp": NOW - 61}, "its time is over"),
        ({"exp": None}, "its exp is no time"),
        ({"exp": True}, "its exp is no time"),
        ({"exp": "9999999999"}, "its exp is no time"),
        ({"exp": float("inf")}, "its exp is no time"),
        ({"exp": float("nan")}, "its exp is no time"),
        ({"nbf": NOW + 61}, "its time has not come"),
        ({"nbf": "0"}, "its nbf is no time"),
    ],
)
def test_a_token_that_is_not_ours_or_not_in_time_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(tokens.Refused, match=reason):
        check(token({**CLAIMS, **changed}))


def test_an_algorithm_that_the_token_chooses_is_refused_before_a_key_is_looked_up() -> None:
    keys = Keys(k1=public(KEY))
    for name in ("none", "None", "HS256", "RS384", "PS256", None, ""):
        with pytest.raises(tokens.Refused, match="its algorithm must be RS256"):
            check(token(header={"alg": name}), keys=keys)
    assert keys.asked == []


def test_a_public_key_used_as_a_secret_signs_nothing() -> None:
    signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(CLAIMS)}"
    secret = public(KEY)["n"].encode()
    forged = f"{signed}.{octets(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    with pytest.raises(tokens.Refused, match="RS256"):
        check(forged)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(public(KEY, kid="k1", use="enc"), id="for encryption"),
        pytest.param(public(KEY, alg="RS512"), id="of another algorithm"),
        pytest.param({"kty": "oct", "k": "c2VjcmV0"}, id="a secret"),
        pytest.param({"kty": "RSA", "n": "", "e": ""}, id="empty"),
        pytest.param(public(KEY, e=octets(b"\x01")), id="of exponent one, where anything signs itself"),
        pytest.param(public(OTHER), id="another's"),
    ],
)
def test_a_key_that_is_no_rsa_key_for_signatures_proves_nothing(key: dict[str, Any]) -> None:
    with pytest.raises(tokens.Refused):
        check(token(), keys=Keys(k1=key))


def test_an_extension_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(tokens.Refused, match="without extensions"):
        check(token(header={"crit": ["b64"], "b64": False}))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b", id="two parts"),
        pytest.param("a.b.c.d", id="four parts"),
        pytest.param("!.!.!", id="no base64"),
        pytest.param(f"{part('x')}.{part(CLAIMS)}.AA", id="no object"),
        pytest.param(f"{octets(b'[' * 3000)}.{part(CLAIMS)}.AA", id="deep nesting"),
        pytest.param("a" * 20_000, id="too long"),
        pytest.param(token()[:-6], id="a shorter signature"),
        pytest.param(token(key=OTHER), id="another key's signature"),
        pytest.param("é.é.é", id="letters beyond ASCII"),
    ],
)
def test_what_is_no_token_is_refused(broken: str) -> None:
    with pytest.raises(tokens.Refused):
        check(broken)


def test_a_changed_claim_breaks_the_signature() -> None:
    head, _, signature = token().split(".")

    with pytest.raises(tokens.Refused, match="its signature is not that of the key"):
        check(f"{head}.{part({**CLAIMS, 'sub': 'root'})}.{signature}")


def numbers() -> tuple[int, int]:
    found = KEY.public_key().public_numbers()
    return found.n, found.e


def raw_sign(encoded: bytes) -> bytes:
    """The private operation on an encoding of the forger's choice."""
    private = KEY.private_numbers()
    value = pow(int.from_bytes(encoded, "big"), private.d, private.public_numbers.n)
    return value.to_bytes(256, "big")


def encoding(message: bytes, *, filling: bytes = b"\xff", info: bytes | None = None, rest: bytes = b"") -> bytes:
    known = bytes.fromhex("3031300d060960864801650304020105000420") if info is None else info
    ending = b"\x00" + known + hashlib.sha256(message).digest() + rest
    return b"\x00\x01" + filling * (256 - 2 - len(ending)) + ending


def test_only_the_one_right_encoding_of_a_digest_counts() -> None:
    modulus, exponent = numbers()
    message = b"a.b"

    def signed(encoded: bytes) -> bool:
        return rs256.is_signed(message, raw_sign(encoded), modulus=modulus, exponent=exponent)

    assert signed(encoding(message))
    assert not signed(encoding(message, filling=b"\xfe"))
    assert not signed(encoding(message, rest=b"garbage after the digest"))
    assert not signed(encoding(message, info=bytes.fromhex("302f300b0609608648016503040201 0420")))  # without NULL
    assert not signed(encoding(message, info=b""))
    assert not signed(b"\x00\x02" + encoding(message)[2:])


def test_a_signature_is_as_long_as_its_key_and_smaller_than_it() -> None:
    modulus, exponent = numbers()
    message = b"a.b"
    right = raw_sign(encoding(message))
    larger = int.from_bytes(right, "big") + modulus

    for wrong in (b"", b"\x00" + right, right[1:], larger.to_bytes(257, "big"), b"\x00" * 256):
        assert not rs256.is_signed(message, wrong, modulus=modulus, exponent=exponent)


def test_a_short_key_proves_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    found = short.public_key().public_numbers()
    signature = short.sign(b"m", padding.PKCS1v15(), hashes.SHA256())

    assert not rs256.is_signed(b"m", signature, modulus=found.n, exponent=found.e)
