"""What goes over the network: encrypted on every connection, and by which versions of TLS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.diff.model import PropertyChange

# Leaf name to the values under which every connection is encrypted, and those under which one may not be.
_IN_TRANSIT = {
    "ClientBroker": ({"TLS"}, {"TLS_PLAINTEXT", "PLAINTEXT"}),
    "OriginProtocolPolicy": ({"https-only"}, {"match-viewer", "http-only"}),
    "Protocol": ({"HTTPS", "TLS"}, {"HTTP", "TCP"}),
    "ViewerProtocolPolicy": ({"https-only", "redirect-to-https"}, {"allow-all"}),
}
# Leaf name to what AWS takes where nothing is said; empty: not known.
_VERSIONS = {
    "MinimumProtocolVersion": "TLSv1",
    "SecurityPolicy": "",
    "SslPolicy": "ELBSecurityPolicy-2016-08",
    "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07",
}
# The least version in a policy's name, such as TLSv1.2_2021, TLS_1_2 or ELBSecurityPolicy-TLS13-1-2-2021-06.
_LEAST = re.compile(r"(?:TLSv|TLS_|TLS-|TLS13[-_]|FS-)1(?:[._-](\d)(?!\d))?(?!\d)(?:_(20\d\d))?")


def in_plain(one: PropertyChange) -> bool:
    """Whether a way that was encrypted on every connection is so no longer."""
    encrypted, plain = _IN_TRANSIT.get(one.leaf, (set[str](), set[str]()))
    return str(one.before) in encrypted and str(one.after) in plain


def outdated(one: PropertyChange) -> bool:
    """Whether older versions of TLS are spoken than before."""
    if one.leaf not in _VERSIONS:
        return False
    before, after = (_least(str(value or _VERSIONS[one.leaf])) for value in (one.before, one.after))
    return before is not None and after is not None and after < before


def _least(policy: str) -> tuple[int, int] | None:
    """The version after the point, and the year of the ciphers where the name tells versions by it."""
    if policy.startswith("SSL"):
        return (-1, 0)
    if match := _LEAST.search(policy):
        return (int(match[1] or 0), int(match[2] or 0) if policy.startswith("TLSv") else 0)
    return (0, 0) if policy.startswith("ELBSecurityPolicy-") else None
