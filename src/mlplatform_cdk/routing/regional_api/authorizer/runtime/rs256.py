"""RS256 by the standard library alone: RSASSA-PKCS1-v1_5 with SHA-256, where only verifying is needed.

The check builds the one encoding that a right signature can have and compares it whole, as RFC 8017 has it; it never
parses what the signature decodes to, which is how forgeries have passed elsewhere.
"""

import hashlib
import hmac

# The ASN.1 of a SHA-256 digest: RFC 8017, section 9.2, note 1.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_LEAST_BITS = 2048  # RFC 7518, section 3.3
_LEAST_PADDING = 8  # RFC 8017, section 9.2, step 3 and 5


def is_signed(message: bytes, signature: bytes, *, modulus: int, exponent: int) -> bool:
    """Whether ``signature`` is that of ``message`` by the key: RFC 8017, section 8.2.2.

    :param message: what was signed.
    :param signature: as it came.
    :param modulus: the public key's ``n``.
    :param exponent: the public key's ``e``.
    """
    length = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < _LEAST_BITS or exponent < 3 or exponent % 2 == 0:  # noqa: PLR2004 - RFC 8017, 3.1
        return False
    value = int.from_bytes(signature, "big")
    if len(signature) != length or value >= modulus:
        return False
    encoded = pow(value, exponent, modulus).to_bytes(length, "big")
    return hmac.compare_digest(encoded, _encoding(message, length))


def _encoding(message: bytes, length: int) -> bytes:
    """EMSA-PKCS1-v1_5: RFC 8017, section 9.2."""
    ending = _DIGEST_INFO + hashlib.sha256(message).digest()
    padding = b"\xff" * (length - len(ending) - 3)
    assert len(padding) >= _LEAST_PADDING  # a modulus of 2048 bits leaves 202
    return b"\x00\x01" + padding + b"\x00" + ending
