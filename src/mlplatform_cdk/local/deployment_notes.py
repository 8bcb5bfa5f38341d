"""What a deployment says about a resource that it made in part: written by the server, read by ``local.deploy``.

The sentences travel as ``ResourceStatusReason`` of the resource's event, so every CloudFormation client sees them.
"""

from __future__ import annotations

STAND_IN = "recorded stand-in"
NOT_HONOURED = "not honoured"


def stand_in(why: str) -> str:
    """The note of a resource that exists as a record only."""
    return f"{STAND_IN}: {why}"


def not_honoured(properties: list[str]) -> str:
    """The note of a resource that ignores some of its properties."""
    return f"{NOT_HONOURED}: {', '.join(sorted(properties))}"


def read(reason: str) -> tuple[str, tuple[str, ...]]:
    """The stand-in's explanation (or nothing) and the ignored properties in an event's reason."""
    explanation = ""
    ignored: tuple[str, ...] = ()
    for part in reason.split("; "):
        kind, _, rest = part.partition(": ")
        if kind == STAND_IN:
            explanation = rest
        elif kind == NOT_HONOURED:
            ignored = tuple(rest.split(", "))
    return explanation, ignored
