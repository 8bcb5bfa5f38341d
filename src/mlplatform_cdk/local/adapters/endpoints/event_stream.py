"""The frames of AWS's event stream encoding, in which a streaming answer travels."""

from __future__ import annotations

import json
import struct
from binascii import crc32
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STRING = 7
_PART = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}


def frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each chunk as one PayloadPart."""
    for chunk in chunks:
        yield _frame(_PART, chunk)


def failure(kind: str, message: str, **members: str) -> bytes:
    """An error that ends a stream which has begun.

    :param kind: such as ``ModelStreamError``.
    :param message: its sentence.
    :param members: the other members of the error.
    """
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return _frame(headers, json.dumps({"Message": message, **members}).encode())


def _frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", STRING, len(value)) + value.encode()
