"""Bytes to requests: a head, then as many bytes as it says or a body in chunks, within the limits."""

from mlplatform_cdk.serving.container.chunked import ChunkedBody
from mlplatform_cdk.serving.container.errors import BodyTooLarge
from mlplatform_cdk.serving.container.heads import CHUNKED, Head, Heads

Whole = tuple[Head, bytes, bytes]  # head, body, and what came behind it


class Incoming:
    """What has come of a connection's next request.

    :param heads: parses heads.
    :param limit: the largest body, in bytes.

    ``begun`` says whether a part of it is here, ``expected`` whether the client waits to be asked for the body.
    """

    __slots__ = ("_chunks", "_due", "_head", "_heads", "_limit", "_parts", "_raw", "begun", "expected")

    def __init__(self, heads: Heads, limit: int) -> None:
        self._heads, self._limit = heads, limit
        self._raw = bytearray()  # of a head that is not whole yet
        self._head: Head | None = None  # of the body that is not whole yet
        self._parts: list[bytes] = []
        self._due = 0
        self._chunks: ChunkedBody | None = None
        self.begun = self.expected = False

    def take(self, data: bytes) -> Whole | None:
        """Take ``data``; a request once it is whole, ``None`` until then.

        :raises RequestError: when this is no request, or one over a limit.
        """
        self.begun = True
        if self._head is not None:
            return self._take_body(self._head, data)
        searched = max(0, len(self._raw) - 3)
        self._raw += data
        if not searched:
            self._skip_empty_lines()
        end = self._raw.find(b"\r\n\r\n", searched) + 4
        if end < 4:  # noqa: PLR2004 - not found
            self._heads.check_size(self._raw)
            self.begun = bool(self._raw)
            return None
        raw, rest = bytes(self._raw[:end]), bytes(self._raw[end:])
        self._raw.clear()
        head = self._head = self._heads.known.get(raw) or self._heads.parse(raw)
        self._begin_body(head)
        self.expected = head.expects and bool(head.length) and not rest
        return self._take_body(head, rest)

    def _skip_empty_lines(self) -> None:
        while self._raw.startswith(b"\r\n"):
            del self._raw[:2]

    def _begin_body(self, head: Head) -> None:
        if head.length > self._limit:
            raise BodyTooLarge(f"the body must have at most {self._limit} bytes, got {head.length}")
        self._due, self._parts = head.length, []
        self._chunks = ChunkedBody(self._limit) if head.length == CHUNKED else None

    def _take_body(self, head: Head, data: bytes) -> Whole | None:
        if self._chunks is not None:
            rest = self._chunks.feed(data)
            if rest is None:
                return None
            body = self._chunks.body()
        else:
            self._parts.append(data[: self._due])
            rest = data[self._due :]
            self._due -= len(self._parts[-1])
            if self._due:
                return None
            body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._head, self._parts, self._chunks = None, [], None
        self.begun = self.expected = False
        return head, body, rest
