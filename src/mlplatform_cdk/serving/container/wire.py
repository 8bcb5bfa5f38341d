"""Answers as bytes: the head of a kind of answer is made once a second, with its date."""

import time
from http import HTTPStatus

from mlplatform_cdk.serving.container.messages import JSON, Answer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_SIZED, _CHUNKED, _UNTIL_CLOSED = "Content-Length: ", "Transfer-Encoding: chunked\r\n\r\n", "\r\n"
_MOST_KEPT = 256
_Kind = tuple[int, str, bool, str]


class Wire:
    """Renders answers; ``tick`` must be called once a second."""

    def __init__(self) -> None:
        self._heads: dict[_Kind, bytes] = {}
        self._usual: bytes | None = None

    def tick(self) -> None:
        """Let the next answers carry the present time."""
        self._heads.clear()
        self._usual = None

    def usual(self, body: bytes) -> bytes:
        """A prediction in JSON, after which the connection stays; as ``render`` writes it."""
        head = self._usual
        if head is None:
            head = self._usual = self._head((200, JSON, False, _SIZED))
        return b"%b%d\r\n\r\n%b" % (head, len(body), body)

    def render(self, answer: Answer, *, close: bool, bodiless: bool, chunks: bool = True) -> bytes:
        """``answer`` as it goes over the wire; of a stream, its head.

        :param answer: what to send.
        :param close: whether the connection ends after it.
        :param bodiless: whether HEAD asked.
        :param chunks: whether the client knows them; default: yes. Else a stream ends with the connection (HTTP/1.0).
        """
        streamed = answer.stream is not None
        framing = _SIZED if not streamed else _CHUNKED if chunks else _UNTIL_CLOSED
        kind = (answer.status, answer.content_type, close, framing)
        head = self._heads.get(kind)
        if head is None:
            head = self._head(kind)
        if answer.headers:
            lines = "".join([f"{name}: {_one_line(value)}\r\n" for name, value in answer.headers])
            first, line_end, rest = head.partition(b"\r\n")
            head = first + line_end + lines.encode("latin-1", "replace") + rest
        if streamed:
            return head
        body = answer.body
        return b"%b%d\r\n\r\n%b" % (head, len(body), b"" if bodiless else body)

    def _head(self, kind: _Kind) -> bytes:
        status, content_type, close, framing = kind
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: mlplatform"]
        lines += [time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime()), f"Content-Type: {content_type}"]
        if close:
            lines.append("Connection: close")
        lines.append(framing)
        head = "\r\n".join(lines).encode("latin-1", "replace")
        if len(self._heads) >= _MOST_KEPT:
            self._heads.clear()
        self._heads[kind] = head
        return head


def chunk(piece: bytes) -> bytes:
    """One piece of a streamed body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
