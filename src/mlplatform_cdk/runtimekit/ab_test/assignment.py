"""Which variant a caller gets: a pure function of the test's salt, the caller's key and the shares.

Weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005): every variant
draws a number from the hash of salt, variant and key, an exponential variable whose rate is the variant's share; the
smallest wins. A key keeps its variant as long as the shares stay, whoever asks and in whatever order the variants are
named; when one share changes, keys move to that variant or away from it, and none moves between the others.

To compute it elsewhere: ``h`` is the first 8 bytes of SHA-256 over the UTF-8 text ``salt U+001F variant U+001F key``,
big-endian; ``u = (floor(h / 2**11) + 0.5) / 2**53``; the variant with the smallest ``-ln(u) / share`` is the answer
(shares of 0 are left out; the smaller name wins a tie). docs/ab-tests.md holds examples to test against.
"""

import hashlib
import math
from collections.abc import Mapping

_BETWEEN = "\x1f"


def assign(salt: str, key: str, shares: Mapping[str, float]) -> str:
    """The variant of ``key``.

    :param salt: of the test, so that two tests divide the same callers independently.
    :param key: who asks, such as a customer's id.
    :param shares: variant to its share of the keys; any unit, at least one above 0.
    """
    scores = {name: -math.log(draw(salt, key, name)) / share for name, share in shares.items() if share > 0}
    return min(scores, key=lambda name: (scores[name], name))


def draw(salt: str, key: str, variant: str) -> float:
    """A number above 0 and below 1 that salt, key and variant determine."""
    digest = hashlib.sha256(_BETWEEN.join((salt, variant, key)).encode()).digest()
    return ((int.from_bytes(digest[:8], "big") >> 11) + 0.5) / 2**53
