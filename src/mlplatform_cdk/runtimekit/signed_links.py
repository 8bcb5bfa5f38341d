"""Links that say who made them and until when they count: signed by a key of KMS that nobody can read.

A link is a bearer's: whoever holds it may open the page. It says which gate it is for and nothing else; what the page
shows comes from the table.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.errors import KnownError

ALGORITHM = "HMAC_SHA_256"
_SIGNED = ("endpoint", "gate", "until")
_CODE_BYTES = 32


class LinkRefused(KnownError):
    """A link that is forged, broken or too old."""


def sign(url: str, *, key_id: str, endpoint: str, gate: str, until: int) -> str:
    """The link for one gate.

    :param url: of the page.
    :param key_id: the key of KMS that makes the code.
    :param endpoint: whose release waits.
    :param gate: the gate's id.
    :param until: when it ends to count, in seconds since 1970.
    """
    facts = {"endpoint": endpoint, "gate": gate, "until": str(until)}
    answer = aws.client("kms").generate_mac(KeyId=key_id, MacAlgorithm=ALGORITHM, Message=_message(facts))
    code = base64.urlsafe_b64encode(answer["Mac"]).decode().rstrip("=")
    return f"{url}?{urlencode({**facts, 'code': code})}"


def verify(parameters: Mapping[str, str], *, key_id: str) -> tuple[str, str]:
    """The endpoint and the gate of a link that counts.

    :param parameters: of the link.
    :param key_id: the key that signed it.
    :raises LinkRefused: when it does not count, and not why to whom it may concern.
    """
    facts = {name: parameters.get(name, "") for name in _SIGNED}
    code = _decoded(parameters.get("code", ""))
    if not all(facts.values()) or not facts["until"].isdecimal() or len(code) != _CODE_BYTES:
        raise LinkRefused("this link is not whole; open it from the message again")
    client = aws.client("kms")
    try:
        client.verify_mac(KeyId=key_id, MacAlgorithm=ALGORITHM, Message=_message(facts), Mac=code)
    except client.exceptions.KMSInvalidMacException:
        raise LinkRefused("this link is not one of ours, or not whole; open it from the message again") from None
    if time.time() > int(facts["until"]):
        raise LinkRefused("this link is too old; the gate has closed")
    return facts["endpoint"], facts["gate"]


def _message(facts: Mapping[str, str]) -> bytes:
    # No name of an endpoint and no id holds a line's end, so that no two sets of facts make one message.
    return "\n".join(facts[name] for name in _SIGNED).encode()


def _decoded(code: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (ValueError, binascii.Error):
        return b""
