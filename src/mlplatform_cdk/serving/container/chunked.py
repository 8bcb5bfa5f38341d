"""A request body in chunks (RFC 9112, section 7.1), decoded strictly and never beyond the limit."""

import re
from collections.abc import Callable
from enum import Enum, auto

from mlplatform_cdk.serving.container.errors import BodyTooLarge, HeadersTooLarge, RequestError

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
_LONGEST_LINE = 256
_LONGEST_TRAILER = 8192
_MOST_FRAMING = 1024 * 1024  # bytes between chunks, beside as many as the body has: tiny chunks cost time, not memory


class _Line(Enum):
    SIZE = auto()  # of the next chunk
    END = auto()  # of a chunk
    TRAILER = auto()


class ChunkedBody:
    """Takes a body as it arrives.

    :param limit: the largest body, in bytes.
    :param on_size: called with what the body has so far before its next chunk is taken; may refuse it.
    """

    def __init__(self, limit: int, on_size: Callable[[int], None] = lambda _: None) -> None:
        self._limit, self._on_size = limit, on_size
        self._body = bytearray()
        self._left = 0  # bytes of the chunk under way that are still to come
        self._line = bytearray()  # what has come of the line under way
        self._awaited = _Line.SIZE
        self._size = self._framing = self._trailer = 0

    def feed(self, data: bytes, start: int = 0) -> int | None:
        """Take ``data`` from ``start`` on; where in it the body ends, ``None`` where it goes on.

        :raises RequestError: when this is no such body, or it is too large.
        """
        view = memoryview(data)
        while start < len(data):
            if self._left:
                piece = view[start : start + self._left]
                self._body += piece
                self._left -= len(piece)
                start += len(piece)
                continue
            end = data.find(b"\n", start) + 1 or len(data)
            self._add_to_line(view[start:end])
            start = end
            if self._line.endswith(b"\n") and self._end_line():
                return start
        return None

    def body(self) -> bytes:
        """The decoded body."""
        return bytes(self._body)

    def _add_to_line(self, piece: memoryview) -> None:
        if len(self._line) + len(piece) > _LONGEST_LINE + 2:
            raise RequestError(f"a line between chunks must have at most {_LONGEST_LINE} bytes, got more")
        self._line += piece
        self._framing += len(piece)
        if self._framing > _MOST_FRAMING + len(self._body):
            raise RequestError(
                f"what is between the chunks must be no more than the body and {_MOST_FRAMING} bytes, got more; send "
                "larger chunks"
            )
        if self._awaited is _Line.END and not b"\r\n".startswith(self._line):
            raise RequestError("a chunk of the body must end after as many bytes as it says, got more")

    def _end_line(self) -> bool:
        """Take the line that is whole now, and say whether it is the last one."""
        line = bytes(self._line)
        self._line.clear()
        if not line.endswith(b"\r\n"):
            raise RequestError(f"a line between chunks must end with CR and LF, got {line[:40]!r}")
        if self._awaited is _Line.TRAILER:
            return self._end_trailer(line[:-2])
        if self._awaited is _Line.END:
            self._awaited = _Line.SIZE
        else:
            self._begin(line[:-2])
        return False

    def _begin(self, line: bytes) -> None:
        told = _SIZE.fullmatch(line)
        if told is None:
            raise RequestError(f"a chunk of the body must begin with its size, got {line[:40]!r}")
        self._left = int(told[1], 16)
        self._awaited = _Line.END if self._left else _Line.TRAILER
        self._size += self._left
        if self._size > self._limit:
            raise BodyTooLarge(f"the body must have at most {self._limit} bytes, got more")
        self._on_size(self._size)

    def _end_trailer(self, line: bytes) -> bool:
        self._trailer += len(line)
        if self._trailer > _LONGEST_TRAILER:
            raise HeadersTooLarge(f"the trailer must have at most {_LONGEST_TRAILER} bytes, got more")
        return not line
