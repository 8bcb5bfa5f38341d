"""What a request may cost at most; each bound is checked before the memory is taken.

JSON is at most 1,024 levels deep, by its parser; Python's values take up to 64 times the bytes of a JSON body, so that
large texts are read one at a time (``codecs.codec``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one request may make the container allocate.

    :param body_bytes: the body, in bytes; default: 25 MiB, since SageMaker's real-time endpoints take 25 MB
        (https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html).
    :param rows: rows in one request, whatever their size; default: 1,000,000.
    :param elements: numbers (or texts) in one tensor; default: 16,777,216.
    :param pixels: pixels of one picture, as it came and while it is resized; default: 25,000,000.
    :param unpacked_bytes: what a compressed body may unpack to, in bytes; default: 64 MiB.
    """

    body_bytes: int = 25 * 1024 * 1024
    rows: int = 1_000_000
    elements: int = 16 * 1024 * 1024
    pixels: int = 25_000_000
    unpacked_bytes: int = 64 * 1024 * 1024
