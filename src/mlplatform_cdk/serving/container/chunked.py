"""A request body in chunks (RFC 9112, section 7.1), decoded strictly and never beyond the limit."""

import re

from mlplatform_cdk.serving.container.errors import BodyTooLarge, HeadersTooLarge, RequestError

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
_LONGEST_LINE = 256
_LONGEST_TRAILER = 8192


class ChunkedBody:
    """Takes a body as it arrives.

    :param limit: the largest body, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._raw = bytearray()
        self._parts: list[bytes] = []
        self._size = 0
        self._due = -1  # bytes of the chunk under way and its line end; -1: a size line comes, -2: the trailer
        self._trailer = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take ``data``; what follows the body once it is whole, ``None`` until then.

        :raises RequestError: when this is no such body, or it is too large.
        """
        self._raw += data
        while True:
            whole = self._take_chunk() if self._due >= 0 else self._take_line()
            if whole is None:
                return None
            if whole:
                return bytes(self._raw)

    def body(self) -> bytes:
        """The decoded body."""
        return b"".join(self._parts)

    def _take_chunk(self) -> bool | None:
        if len(self._raw) < self._due:
            return None
        if self._raw[self._due - 2 : self._due] != b"\r\n":
            raise RequestError("a chunk of the body must end after as many bytes as it says, got more")
        self._parts.append(bytes(self._raw[: self._due - 2]))
        del self._raw[: self._due]
        self._due = -1
        return False

    def _take_line(self) -> bool | None:
        end = self._raw.find(b"\r\n")
        if (end if end >= 0 else len(self._raw)) > _LONGEST_LINE:
            raise RequestError(f"a line between chunks must have at most {_LONGEST_LINE} bytes, got more")
        if end < 0:
            return None
        line = bytes(self._raw[:end])
        del self._raw[: end + 2]
        if self._due == -2:  # noqa: PLR2004 - see __init__
            return self._end_of_trailer(line)
        told = _SIZE.fullmatch(line)
        if told is None:
            raise RequestError(f"a chunk of the body must begin with its size, got {line[:40]!r}")
        self._begin(int(told[1], 16))
        return False

    def _begin(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise BodyTooLarge(f"the body must have at most {self._limit} bytes, got more")
        self._due = size + 2 if size else -2

    def _end_of_trailer(self, line: bytes) -> bool:
        self._trailer += len(line)
        if self._trailer > _LONGEST_TRAILER:
            raise HeadersTooLarge(f"the trailer must have at most {_LONGEST_TRAILER} bytes, got more")
        return not line
