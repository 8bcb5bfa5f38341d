"""Bytes to requests: a head, then as many bytes as it says or a body in chunks, within the limits."""

from collections.abc import Callable

from mlplatform_cdk.serving.container.chunked import ChunkedBody
from mlplatform_cdk.serving.container.errors import BodyTooLarge
from mlplatform_cdk.serving.container.heads import CHUNKED, Head, Heads

Whole = tuple[Head, bytes, int]  # head, body, and where in the data the next request begins
_END = b"\r\n\r\n"  # of a head
_UNCOUNTED = 64 * 1024  # bytes of a body that memory is not asked for


class Incoming:
    """What has come of a connection's next request.

    :param heads: parses heads.
    :param limit: the largest body, in bytes.
    :param make_room: called with how many bytes more a body needs; may refuse it. Default: there is always room.

    ``begun`` says whether a part of it is here, ``expected`` whether the client waits to be asked for the body,
    ``held`` is for how many bytes there was room made.
    """

    __slots__ = (
        "_chunks",
        "_due",
        "_head",
        "_heads",
        "_limit",
        "_make_room",
        "_parts",
        "_raw",
        "begun",
        "expected",
        "held",
    )

    def __init__(self, heads: Heads, limit: int, make_room: Callable[[int], None] = lambda _: None) -> None:
        self._heads, self._limit, self._make_room = heads, limit, make_room
        self.held = 0
        self._raw = bytearray()  # of a head that is not whole yet
        self._head: Head | None = None  # of the body that is not whole yet
        self._parts: list[bytes] = []
        self._due = 0
        self._chunks: ChunkedBody | None = None
        self.begun = self.expected = False

    def take(self, data: bytes, start: int = 0) -> Whole | None:
        """Take ``data`` from ``start`` on; a request once it is whole, ``None`` until then.

        What comes behind it is not copied: of a long pipeline, it would be for each request.

        :raises RequestError: when this is no request, or one over a limit.
        """
        self.begun = True
        if self._head is not None:
            return self._take_body(self._head, data, start)
        searched = max(0, len(self._raw) - 3)
        if not self._raw:
            while data.startswith(b"\r\n", start):  # empty lines before a request
                start += 2
            end = data.find(_END, start) + len(_END)
            if end >= len(_END):
                return self._take_head(data[start:end], data, end)
        self._raw += data[start:]
        while not searched and self._raw.startswith(b"\r\n"):
            del self._raw[:2]
        end = self._raw.find(_END, searched) + len(_END)
        if end < len(_END):
            self._heads.check_size(self._raw)
            self.begun = bool(self._raw)
            return None
        raw, behind = bytes(self._raw[:end]), len(self._raw) - end
        self._raw.clear()
        return self._take_head(raw, data, len(data) - behind)

    def _take_head(self, raw: bytes, data: bytes, start: int) -> Whole | None:
        head = self._head = self._heads.known.get(raw) or self._heads.parse(raw)
        self._begin_body(head)
        self.expected = head.expects and bool(head.length) and start == len(data)
        return self._take_body(head, data, start)

    def _begin_body(self, head: Head) -> None:
        if head.length > self._limit:
            raise BodyTooLarge(f"the body must have at most {self._limit} bytes, got {head.length}")
        self._due, self._parts = head.length, []
        self._chunks = ChunkedBody(self._limit, self._hold) if head.length == CHUNKED else None
        if self._due > _UNCOUNTED:
            self._hold(self._due)

    def _hold(self, size: int) -> None:
        if size > self.held + _UNCOUNTED:
            self._make_room(size - self.held)
            self.held = size

    def _take_body(self, head: Head, data: bytes, start: int) -> Whole | None:
        if self._chunks is not None:
            end = self._chunks.feed(data, start)
            if end is None:
                return None
            body, start = self._chunks.body(), end
        else:
            self._parts.append(data[start : start + self._due])
            start += len(self._parts[-1])
            self._due -= len(self._parts[-1])
            if self._due:
                return None
            body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._head, self._parts, self._chunks, self.held = None, [], None, 0
        self.begun = self.expected = False
        return head, body, start
