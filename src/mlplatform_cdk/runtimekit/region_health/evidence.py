"""What a region knows: its own last round, and what the other regions publish of theirs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Golden(StrEnum):
    """What came of a round of golden requests."""

    RIGHT = "right"
    SLOW = "slow"
    WRONG = "wrong"
    FAILED = "failed"
    UNKNOWN = "unknown"


# An answer in time is better than a slow one, and that is better than none. A wrong one is as bad as none: its caller
# cannot even see it.
BADNESS = {Golden.RIGHT: 0, Golden.SLOW: 1, Golden.UNKNOWN: 1, Golden.WRONG: 2, Golden.FAILED: 2}


class Observation(NamedTuple):
    """One round of a region's own probe.

    :param at_ms: when it ended, by the probe's own clock, in milliseconds since 1970.
    :param golden: what came of it.
    :param version: which version answered: the same text in every region that serves it.
    :param reason: what was wrong, for people; default: nothing.
    :param drained: has somebody drained the region; default: no.
    """

    at_ms: int
    golden: Golden
    version: str
    reason: str = ""
    drained: bool = False


class Peer(NamedTuple):
    """What another region publishes, where that could be read and is not stale.

    :param region: its name.
    :param in_service: does it take requests.
    :param golden: what came of its last round.
    :param version: which version answered there.
    :param well: is it free of faults, by its damped rounds.
    :param steady: is it well, and not held out for leaving too often.
    :param round: the number of its last round.
    """

    region: str
    in_service: bool
    golden: Golden
    version: str
    well: bool
    steady: bool
    round: int

    @classmethod
    def from_body(cls, region: str, body: Mapping[str, Any]) -> "Peer":
        """What ``Verdict.body`` published.

        :raises ValueError: when that is something else.
        """
        try:
            return cls(
                region=region,
                in_service=body["status"] == "in-service",
                golden=Golden(body["golden"]),
                version=str(body["version"]),
                well=bool(body["well"]),
                steady=bool(body["steady"]),
                round=int(body["round"]),
            )
        except (KeyError, TypeError) as problem:
            raise ValueError(f"a region's health must be a verdict's body, got {body!r}") from problem


class Evidence(NamedTuple):
    """All that a round decides on.

    :param own: the region's own round.
    :param peers: what could be read of the others.
    :param others: how many other regions there are, read or not.
    """

    own: Observation
    peers: tuple[Peer, ...] = ()
    others: int = 0
