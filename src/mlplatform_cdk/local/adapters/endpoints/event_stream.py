"""The frames of AWS's event stream encoding, in which a streaming answer travels."""

from __future__ import annotations

import struct
from binascii import crc32
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STRING = 7
_HEADERS = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}


def frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each chunk as one PayloadPart."""
    headers = b"".join(_header(name, value) for name, value in _HEADERS.items())
    for chunk in chunks:
        prelude = struct.pack("!II", 16 + len(headers) + len(chunk), len(headers))
        message = prelude + struct.pack("!I", crc32(prelude)) + headers + chunk
        yield message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", STRING, len(value)) + value.encode()
