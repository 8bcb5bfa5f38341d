"""Which format a body is in, and which one the caller wants back (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Mapping, Sequence

from mlplatform_cdk.serving.container.errors import NotAcceptable

JSON, CSV, JSON_LINES = "application/json", "text/csv", "application/jsonlines"
NPY, NPZ, RAW = "application/x-npy", "application/x-npz", "application/octet-stream"
JPEG, PNG = "image/jpeg", "image/png"

_ALIASES = {
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "image/jpg": JPEG,
}
# Also ".2" and "*": what Java asks for by itself is "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2".
_QUALITY = re.compile(r"0(\.\d{0,3})?|\.\d{1,3}|1(\.0{0,3})?", re.ASCII)


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """The media type under its own name, and its parameters, names in lower case; none means JSON.

    :param content_type: a Content-Type header, possibly empty.
    """
    kind, *rest = content_type.split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    kind = kind.strip().lower() or JSON
    return _ALIASES.get(kind, kind), parameters


def answer_type(accept: str, formats: Sequence[str]) -> str:
    """The one of ``formats`` that the caller likes best; of equals, the one that the header names first.

    :param accept: an Accept header, possibly empty, which asks for the first of ``formats``.
    :param formats: what can be written, the server's favourite first.
    :raises NotAcceptable: when the header allows none.
    """
    if not accept.strip():
        return formats[0]
    ranges: dict[str, tuple[float, int]] = {}
    for place, part in enumerate(accept.split(",")):
        kind, parameters = media_type(part)
        if part.strip():
            ranges.setdefault("*/*" if kind == "*" else kind, (_quality(parameters), -place))
    liked = [(*_match(one, ranges), -place, one) for place, one in enumerate(formats)]
    quality, _, _, best = max(liked)
    if quality <= 0:
        raise NotAcceptable(f"the Accept header must allow {' or '.join(formats)}, got {accept[:200]!r}")
    return best


def _match(kind: str, ranges: Mapping[str, tuple[float, int]]) -> tuple[float, int]:
    """The quality and the place of the range that speaks of ``kind`` most exactly."""
    for one in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if one in ranges:
            return ranges[one]
    return 0.0, 0


def _quality(parameters: Mapping[str, str]) -> float:
    text = parameters.get("q", "1")
    return float(text) if _QUALITY.fullmatch(text) else 0.0
