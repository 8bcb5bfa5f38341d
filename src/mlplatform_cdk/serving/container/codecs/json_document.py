"""JSON text to Python values, and what can be known of a document from its bytes alone."""

from typing import Any

import orjson

from mlplatform_cdk.serving.container.errors import RequestError

_BOM = b"\xef\xbb\xbf"
_SHOWN = 5


def loads(body: bytes) -> Any:
    """The JSON document in ``body``, at most 1,024 levels deep; the last of two equal names counts.

    :raises RequestError: when there is none.
    """
    try:
        return orjson.loads(body[3:] if body.startswith(_BOM) else body)
    except orjson.JSONDecodeError as error:
        raise _problem(body, str(error)) from None


def _problem(body: bytes, reason: str) -> RequestError:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return RequestError(f"the body must be text in UTF-8, got bytes that are not ({error.reason})")
    for constant in (b"NaN", b"Infinity"):  # Python's json module writes them
        if constant in body:
            came = constant.decode()
            return RequestError(f"the body must hold finite numbers (null where one is missing), got {came}")
    return RequestError(f"the body must be JSON, got something else ({reason})")


def numbers_only(body: bytes, names: int) -> bool:
    """Whether the lists of a valid JSON document hold nothing but numbers and null.

    Every text stands between two quotation marks, so a document with two per name has no text besides its names.

    :param body: the document.
    :param names: how many names its objects have, altogether.
    """
    start = max(body.find(b"["), 0) if names else 0
    if body.find(b'"', start) < 0:  # only true has an r, only false has an s
        return body.find(b"r", start) < 0 and body.find(b"s", start) < 0
    return body.count(b'"') == 2 * names and b"true" not in body and b"false" not in body


def kind_of(value: object) -> str:
    """What ``value`` is, in words for an error."""
    if not isinstance(value, dict):
        return "no object"
    return f"an object with {few(value) or 'nothing'}"


def few(names: object) -> str:
    """The first five of ``names`` in order, shortened."""
    every = sorted(str(one)[:40] for one in names) if isinstance(names, dict | set | list | tuple) else []
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
