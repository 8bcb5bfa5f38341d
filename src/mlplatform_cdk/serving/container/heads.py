"""A request's head, parsed by httptools once: clients send the same head again and again, so equal ones are kept."""

from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from mlplatform_cdk.serving.container.errors import HeadersTooLarge, RequestError, UrlTooLong

CHUNKED = -1
_MOST_KEPT, _LARGEST_KEPT = 1024, 2048  # heads, and bytes of each: 2 MiB of keys at most
_MOST_HEADERS = 100


class Unframed(RequestError):
    """A transfer coding that this container does not undo."""

    status = HTTPStatus.NOT_IMPLEMENTED


class Head:
    """What the head says: ``length`` is the body's in bytes, or ``CHUNKED``; ``current`` is False of HTTP/1.0.

    ``usual`` is what ``FastPath`` thinks of it; ``None`` until it has seen it.
    """

    __slots__ = ("current", "expects", "headers", "keep_alive", "length", "method", "path", "query", "usual")

    def __init__(self) -> None:
        self.method, self.path, self.query = "", "", ""
        self.headers: dict[str, str] = {}
        self.length, self.keep_alive, self.expects, self.current = 0, False, False, True
        self.usual: bool | None = None


class Heads:
    """Parses heads.

    :param limit: the largest head, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.known: dict[bytes, Head] = {}

    def parse(self, raw: bytes) -> Head:
        """The head that ``raw`` is, up to and with its empty line.

        :raises RequestError: when it is none, or too large.
        """
        self.check_size(raw)
        reader = _Reader()
        parser = reader.parser = HttpRequestParser(reader)
        try:
            parser.feed_data(raw)
        except HttpParserUpgrade:
            pass  # the offer of another protocol is declined by answering in this one
        except HttpParserError as error:
            if isinstance(error.__context__, RequestError):
                raise error.__context__ from None
            raise RequestError(f"the request must be HTTP/1.1, got something else ({error})") from None
        if len(raw) <= _LARGEST_KEPT:
            if len(self.known) >= _MOST_KEPT:
                self.known.clear()
            self.known[raw] = reader.head
        return reader.head

    def check_size(self, raw: bytes | bytearray) -> None:
        """Refuse a head that is, or is growing, over the limit."""
        if len(raw) <= self._limit:
            return
        if raw.find(b"\r\n", 0, self._limit) < 0:
            raise UrlTooLong(f"the first line must have at most {self._limit} bytes, got more")
        raise HeadersTooLarge(f"the request's head must have at most {self._limit} bytes, got more")


class _Reader:
    """What httptools calls."""

    parser: HttpRequestParser

    def __init__(self) -> None:
        self.head = Head()
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        headers, key = self.head.headers, name.decode("latin-1").lower()
        text = value.decode("latin-1").strip()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
        if len(headers) > _MOST_HEADERS:
            raise HeadersTooLarge(f"the request must have at most {_MOST_HEADERS} headers, got more")

    def on_headers_complete(self) -> None:
        head, headers = self.head, self.head.headers
        head.method = self.parser.get_method().decode()
        head.path, _, head.query = _target(self._url).partition("?")
        head.current = self.parser.get_http_version() == "1.1"
        head.keep_alive = head.current and self.parser.should_keep_alive()
        head.expects = head.current and headers.get("expect", "").lower() == "100-continue"
        coding = headers.get("transfer-encoding")
        if coding is None:
            head.length = int(headers.get("content-length") or 0)
        elif coding.lower() == "chunked":
            head.length = CHUNKED
        else:
            raise Unframed(f"the transfer coding must be chunked, got {coding[:80]!r}")


def _target(url: bytes) -> str:
    text = url.decode("latin-1")
    if text.startswith("/") or "://" not in text:
        return text
    return "/" + text.partition("://")[2].partition("/")[2]  # the absolute form, which proxies send
