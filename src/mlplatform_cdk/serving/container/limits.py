"""What a request may cost at most; each bound is checked before the memory is taken."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one request may make the container allocate.

    :param body_bytes: the body, in bytes; default: 6 MiB, what SageMaker's real-time endpoints take.
    :param rows: rows in one request, whatever their size; default: 1,000,000.
    :param elements: numbers (or texts) in one tensor; default: 16,777,216.
    :param depth: lists and objects within each other in JSON; default: 32.
    :param pixels: pixels of one picture before it is resized; default: 50,000,000.
    :param unpacked_bytes: what a compressed body may unpack to, in bytes; default: 64 MiB.
    """

    body_bytes: int = 6 * 1024 * 1024
    rows: int = 1_000_000
    elements: int = 16 * 1024 * 1024
    depth: int = 32
    pixels: int = 50_000_000
    unpacked_bytes: int = 64 * 1024 * 1024
